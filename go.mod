module halligan

go 1.26
