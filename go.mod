module github.com/trysail-go/trysail

go 1.26.0
