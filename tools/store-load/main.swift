await StoreLoad.start()
