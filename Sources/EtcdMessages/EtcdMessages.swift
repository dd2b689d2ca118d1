// EtcdMessages
