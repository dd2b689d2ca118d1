import EtcdAPI
import Testing

/// Ids of a real etcd 3.5.1, by its flags.
@Suite struct EtcdIdentityTests {
    @Test func aMembersIDIsEtcds() {
        let id = EtcdIdentity.member(peerURLs: ["http://127.0.0.1:39102"], token: "etcd-cluster")
        #expect(id == 0x6733_297c_fcb4_3503)
        #expect(EtcdIdentity.cluster(members: [id]) == 0x04db_85be_6671_76f6)
    }
}
