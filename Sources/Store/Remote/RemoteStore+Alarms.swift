import EtcdMessages
package import Keyspace

/// `Maintenance.Alarm`.
extension RemoteStore {
    /// The alarms that are on, of all members; member 0 is nobody that is known.
    package func alarms(_ done: @escaping Completion<[AlarmChange]>) {
        call("/etcdserverpb.Maintenance/Alarm", AlarmRequest().protobufBytes) {
            (result: Result<AlarmResponse, StoreError>) in
            done(
                result.map { response in
                    response.alarms.compactMap { alarm in
                        guard let kind = AlarmChange.Kind(rawValue: UInt8(alarm.kind.rawValue))
                        else { return nil }
                        return AlarmChange(
                            isRaised: true, memberID: alarm.memberID, kind: kind)
                    }
                })
        }
    }

    package func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>) {
        var request = AlarmRequest()
        request.action = change.isRaised ? .activate : .deactivate
        request.memberID = change.memberID
        request.kind = change.kind == .noSpace ? .noSpace : .corrupt
        call("/etcdserverpb.Maintenance/Alarm", request.protobufBytes) {
            (result: Result<AlarmResponse, StoreError>) in done(result.map { _ in })
        }
    }

    package func alarms() async throws(StoreError) -> [AlarmChange] {
        try await answer { self.alarms($0) }
    }

    package func changeAlarm(_ change: AlarmChange) async throws(StoreError) {
        try await answer { self.changeAlarm(change, $0) }
    }
}
