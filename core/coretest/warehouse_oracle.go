package coretest

func oracleRules() []warehouseRule { return nil }
