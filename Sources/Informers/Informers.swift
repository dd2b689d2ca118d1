// Informers
