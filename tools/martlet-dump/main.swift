import ArgumentParser

MartletDump.main()
