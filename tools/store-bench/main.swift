await StoreBench.start()
