import Documents
import Basics
import Keyspace
import Objects
import Testing

@Suite struct ValueTests {
    @Test(arguments: [
        ("0.5", "500m"), ("1500m", "1500m"), ("1000m", "1"), ("1000", "1k"), ("1500", "1500"),
        ("0.1Gi", "107374182400m"), ("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("512", "512"),
        ("1e3", "1e3"), ("12e6", "12e6"), ("1E", "1E"), ("100n", "100n"), ("0.0000000001", "1n"),
        ("-5", "-5"), ("+5", "5"), ("0Mi", "0"), ("64Mi", "64Mi"), ("1025Ki", "1025Ki"),
        (".5", "500m"), ("5.", "5"), ("1000000", "1M"), ("512Ki", "512Ki"), ("1Ki", "1Ki"),
    ])
    func canonicalQuantities(text: String, canonical: String) throws {
        #expect(try Quantity.parse(text).canonical == canonical)
        #expect(try Quantity.parse(canonical) == Quantity.parse(text))
    }

    @Test(arguments: ["", "abc", "1.2.3", "1Kib", "--1", "m", "1 ", "1e", "0x10"])
    func refusedQuantities(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test func quantityArithmetic() throws {
        let sum = try Quantity.parse("100m") + Quantity.parse("1.9")
        #expect(sum.canonical == "2")
        #expect(sum.value == 2)
        #expect(try Quantity.parse("100m").value == 1)
        #expect(try Quantity.parse("100m").milliValue == 100)
        #expect(try Quantity.parse("1Gi") > Quantity.parse("1G"))
        #expect((try Quantity.parse("1Gi") - Quantity.parse("1Mi")).canonical == "1023Mi")
        #expect(try Quantity.parse("99999999999999999999999E").value == Int64.max)
        #expect(try Quantity.parse("99999999999999999999999Ei").value == Int64.max)
        #expect(try Quantity.parse("1e-99").canonical == "1e-9")
    }

    @Test func base64() throws {
        for (plain, coded) in [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ] {
            #expect(Base64.encode(plain.utf8) == coded)
            #expect(try Base64.decode(coded).get() == Bytes(plain.utf8))
        }
        #expect(try Base64.decode("Zm9v\nYg==\n").get() == Bytes("foob".utf8))
        for bad in ["Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Zm 9", "====", "*AAA"] {
            #expect(throws: Base64Error.self) { try Base64.decode(bad).get() }
        }
    }

    @Test func freshNames() {
        var random = SeededRandom(seed: 1)
        let suffix = Names.suffix(using: &random)
        #expect(suffix.utf8.count == 5)
        #expect(suffix.utf8.allSatisfy { "bcdfghjklmnpqrstvwxz2456789".utf8.contains($0) })
        let uid = Array(Names.uid(using: &random))
        #expect(uid.count == 36 && uid[14] == "4" && "89ab".contains(uid[19]))
        let long = String(repeating: "a", count: 80)
        #expect(Names.generated(long, suffix: "bcdfg").utf8.count == 63)
    }

    @Test func storedValues() throws {
        let json: JSON = [
            "kind": "Pod", "apiVersion": "v1",
            "metadata": ["resourceVersion": "7", "name": "web"], "spec": ["a": "<"],
        ]
        let value = StoredValue.encode(json)
        let stored = try StoredValue(value)
        let wire = String(decoding: stored.wireBytes(revision: 42), as: UTF8.self)
        #expect(
            wire == #"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"42","#
                + #""name":"web"},"spec":{"a":"\u003c"}}"#)
        #expect(try stored.decode().path("metadata", "resourceVersion") == nil)
        let bare = try StoredValue.wireBytes(StoredValue.encode([:]), revision: 3)
        #expect(String(decoding: bare, as: UTF8.self) == #"{"metadata":{"resourceVersion":"3"}}"#)
    }

    @Test func damagedStoredValues() {
        let value = StoredValue.encode(["kind": "Pod", "metadata": ["name": "web"]])
        for index in value.indices {
            for bit in [UInt8(1), 0x80] {
                var broken = value
                broken[index] ^= bit
                #expect(throws: StoredValueError.self) { try StoredValue(broken) }
            }
            #expect(throws: StoredValueError.self) { try StoredValue(Bytes(value[..<index])) }
        }
        #expect(throws: StoredValueError.foreign) { try StoredValue(Bytes("hello".utf8)) }
        let keyValue = KeyValue(
            key: Bytes("/registry/pods/default/web".utf8), value: Bytes("k8s\0".utf8),
            createRevision: 1, modRevision: 1, version: 1)
        let error = #expect(throws: ObjectError.self) { try Object.decode(keyValue) }
        #expect(
            error?.description
                == "/registry/pods/default/web: the stored value is Kubernetes protobuf, which "
                + "kube-apiserver wrote and this server does not read")
    }

    @Test func keys() {
        func text(_ key: Bytes) -> String { String(decoding: key, as: UTF8.self) }
        #expect(text(ResourceKind.pod.key(namespace: "a", name: "b")) == "/registry/pods/a/b")
        #expect(text(ResourceKind.node.key(namespace: "", name: "n")) == "/registry/minions/n")
        let service = ResourceKind.service.key(namespace: "a", name: "b")
        #expect(text(service) == "/registry/services/specs/a/b")
        for kind in Kinds.all {
            let key = kind.key(namespace: "ns", name: "x")
            let place = ResourceKind.parse(key: key)
            #expect(place?.kind == kind && place?.name == "x")
            #expect(place?.namespace == (kind.isNamespaced ? "ns" : ""))
            #expect(kind.prefix().contains(key))
            #expect(Schema.message(of: kind).property("metadata") != nil)
            #expect(Kinds.find(apiVersion: kind.apiVersion, kind: kind.kind) == kind)
        }
        for bad in ["/registry/pods/a", "/registry/pods/a/b/c", "/registry/pods//b", "/x", ""] {
            #expect(ResourceKind.parse(key: Bytes(bad.utf8)) == nil)
        }
        #expect(
            !ResourceKind.pod.prefix(namespace: "a").contains(Bytes("/registry/pods/ab/c".utf8)))
    }
}
