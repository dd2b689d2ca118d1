import CLI

await Martlet.main()
