package sandbox

import (
	"slices"
	"sync"
)

// same says that delegated calls need what applications need.
const same = "="

// operationTable lists every operation of Graph that the sandbox serves. The
// permissions are those of Microsoft's permissions reference; where that has no
// row, of the page of the operation. operations_test.go holds the table against
// both. $batch is beside the table (batch.go).
var operationTable = sync.OnceValue(func() []operation {
	out := slices.Concat(userOperations, directoryOperations, policyOperations, tenantOperations)
	for i := range out {
		if out[i].delegated == same {
			out[i].delegated = out[i].application
		}
	}
	return out
})
