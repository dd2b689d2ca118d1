import Documents
import Basics
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        ("{}", "{}"), (" [ 1 , 2 ] ", "[1,2]"), ("\"\\u00e9\\n\"", "\"é\\n\""),
        ("\"\\ud83d\\ude00\"", "\"😀\""), ("\"\\ud83d\"", "\"\u{fffd}\""),
        ("\"<a&b>\"", "\"\\u003ca\\u0026b\\u003e\""), ("\"\u{2028}\"", "\"\\u2028\""),
        ("9223372036854775807", "9223372036854775807"), ("-1", "-1"), ("1.5", "1.5"),
        ("1e3", "1000"), ("1e21", "1e+21"), ("1e-7", "1e-7"), ("0.000001", "0.000001"),
        ("123456789.125", "123456789.125"), ("1e20", "100000000000000000000"),
        ("18446744073709551615", "18446744073709552000"),
        ("\"\\u0000\\u001f\"", "\"\\u0000\\u001f\""),
        ("{\"b\":1,\"a\":null}", "{\"b\":1,\"a\":null}"), ("\"\\/\"", "\"/\""),
    ])
    func roundTrip(input: String, output: String) throws {
        #expect(String(decoding: try JSON.parse(input).bytes(), as: UTF8.self) == output)
    }

    @Test(arguments: [
        ("", "unexpected end of JSON input"), ("{", "unexpected end of JSON input"),
        ("{]", "invalid character ']' looking for beginning of object key string"),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("nul", "unexpected end of JSON input"),
        ("nulx", "invalid character 'x' in literal null (expecting 'l')"),
        ("01", "invalid character '1' after top-level value"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.", "unexpected end of JSON input"),
        ("\"\\x\"", "invalid character 'x' in string escape code"),
        ("\"a\nb\"", "invalid character '\\n' in string literal"),
        ("1 2", "invalid character '2' after top-level value"),
        ("'a'", "invalid character '\\'' looking for beginning of value"),
    ])
    func saysWhatIsWrong(input: String, message: String) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(input) }
        #expect(error?.message == message)
    }

    @Test func refusesDeepNesting() throws {
        let deepest = String(repeating: "[", count: JSON.depthMax)
        #expect(throws: JSONError("unexpected end of JSON input", at: JSON.depthMax)) {
            try JSON.parse(deepest)
        }
        let error = #expect(throws: JSONError.self) { try JSON.parse(deepest + "[") }
        #expect(error?.message == "exceeded max depth")
    }

    @Test func findsDuplicates() throws {
        var duplicates: [String] = []
        let text = #"{"spec":{"replicas":1,"list":[{"a":1,"a":2}],"replicas":3}}"#
        let json = try JSON.parse(Bytes(text.utf8), duplicates: &duplicates)
        #expect(duplicates == ["spec.list[0].a", "spec.replicas"])
        #expect(json.path("spec", "replicas") == 3)
        let many = (0..<100).map { "\"k\($0)\":\($0)" } + ["\"k7\":0", "\"k99\":0"]
        _ = try JSON.parse(
            Bytes("{\(many.joined(separator: ","))}".utf8), duplicates: &duplicates)
        #expect(duplicates == ["k7", "k99"])
    }

    @Test func objectsCompareWithoutOrder() {
        let left: JSON = ["a": 1, "b": ["c": 2, "d": 3]]
        let right: JSON = ["b": ["d": 3, "c": 2], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1, "b": ["c": 2, "d": 4]])
        #expect(left != ["a": 1])
    }

    @Test func editing() {
        var json: JSON = .null
        json.set("x", at: "metadata", "labels", "app")
        #expect(json.path("metadata", "labels", "app") == "x")
        json.set(nil, at: "metadata", "labels", "app")
        #expect(json == ["metadata": ["labels": [:]]])
        json.set(nil, at: "spec", "nothing")
        #expect(json["spec"] == nil)
        json["list"] = [1, 2, 3]
        json.updateEach("list") { $0 = .integer(($0.intValue ?? 0) * 2) }
        #expect(json["list"] == [2, 4, 6])
        json.update("list") { $0 = .null }
        #expect(json["list"] == nil)
    }
}

/// Work must not grow with the square of what a client sends.
@Suite struct LargeObjectTests {
    private static let count = 150_000

    private func keys() -> [String] { (0..<Self.count).map { "k\($0)" } }

    @Test func editing() throws {
        var object = JSONObject()
        for (index, key) in keys().enumerated() { object[key] = .integer(Int64(index)) }
        let copy = object
        for key in keys().dropLast(3) { object[key] = nil }
        #expect(object.keys == keys().suffix(3))
        #expect(copy.count == Self.count && copy["k77"] == 77)
        object["k5"] = 1
        object["k149999"] = 2
        #expect(object.keys == keys().suffix(3) + ["k5"])
        #expect(object["k149999"] == 2 && object["k6"] == nil)
        #expect(copy == JSONObject(uniqueCopyOf: copy))
    }
}

extension JSONObject {
    fileprivate init(uniqueCopyOf other: JSONObject) {
        self.init()
        for member in Array(other.reversed()) { self[member.key] = member.value }
    }
}
