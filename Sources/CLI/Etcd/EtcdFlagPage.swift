/// `docs/etcd-flags.md`, made from the table; a test compares the two.
package enum EtcdFlagPage {
    package static var text: String {
        let rows = EtcdFlag.all.map { flag in
            "| `--\(flag.name)` | \(flag.use.rawValue) | \(flag.note) |\n"
        }
        return head + rows.joined()
    }

    private static let head = """
        # etcd's flags at `martlet server`

        Without `--replica`, `martlet server` is one member of a store, described by etcd's flags:

        ```
        martlet server --name infra1 --data-dir infra1.etcd \\
          --listen-client-urls http://127.0.0.1:2379 \\
          --advertise-client-urls http://127.0.0.1:2379 \\
          --listen-peer-urls http://127.0.0.1:12380 \\
          --initial-advertise-peer-urls http://127.0.0.1:12380 \\
          --initial-cluster infra1=http://127.0.0.1:12380,infra2=http://127.0.0.1:22380 \\
          --initial-cluster-token etcd-cluster-1 --initial-cluster-state new
        ```

        Each flag has its variable, `ETCD_INITIAL_CLUSTER` for `--initial-cluster`; a flag goes
        before its variable, and a variable that etcd does not know is remarked on in the log.
        `--experimental-` before a flag's name is the same flag. Plaintext is for loopback only.
        The ids of members and cluster are those that etcd would make of the same flags.

        Unlike etcd, a member of a bootstrapped cluster whose replica folder is lost does not vote
        until `martlet store member replace` has rebuilt it; keep `DATA-DIR/cluster.json` with the
        folder. A data directory that is removed as a whole is to the flags one of a new cluster:
        do not start a member anew with `--initial-cluster-state new` while its cluster lives.

        This table is printed by `martlet server --describe-etcd-flags`.

        | flag | here | |
        |---|---|---|

        """
}
