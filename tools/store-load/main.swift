await StoreLoad.main()
