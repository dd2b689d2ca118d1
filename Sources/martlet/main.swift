import CLI

await Martlet.start()
