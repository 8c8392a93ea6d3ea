module migratable.example/benchmarks/handler

go 1.24
