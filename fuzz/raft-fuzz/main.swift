import ArgumentParser

RaftFuzz.main()
