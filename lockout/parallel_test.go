package lockout_test

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls work for every number from 0 to n-1, on as many goroutines as
// there are processors, and then done for each in order. When done returns
// false, it is called no more and numbers that have not begun are left out.
func inParallel[T any](n int, work func(i int) T, done func(i int, result T) (more bool)) {
	type slot struct {
		result T
		ready  chan struct{}
	}
	slots := make([]slot, n)
	for i := range slots {
		slots[i].ready = make(chan struct{})
	}
	var next atomic.Int64
	var stopped atomic.Bool
	var workers sync.WaitGroup
	defer func() {
		stopped.Store(true)
		workers.Wait()
	}()
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for !stopped.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				func() {
					defer close(slots[i].ready) // even when work ends the test
					slots[i].result = work(i)
				}()
			}
		})
	}
	for i := range slots {
		<-slots[i].ready
		more := done(i, slots[i].result)
		var none T
		slots[i].result = none
		if !more {
			return
		}
	}
}
