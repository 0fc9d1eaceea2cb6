package trysail_test

import (
	"context"
	"testing"

	"github.com/trysail-go/trysail"
)

// BenchmarkDo measures what the engine adds to a call; design.md has the goals.
func BenchmarkDo(b *testing.B) {
	success := func(context.Context) (int, error) { return 1, nil }
	b.Run("closed", func(b *testing.B) {
		op, ctx := newOperation(b, trysail.Policy{}), b.Context()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = trysail.Do(ctx, op, success)
		}
	})
	b.Run("open", func(b *testing.B) {
		op, ctx := newOperation(b, once()), b.Context()
		trip(b, op)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = trysail.Do(ctx, op, success)
		}
	})
	b.Run("one retry", func(b *testing.B) {
		op, ctx := newOperation(b, atOnce()), b.Context()
		b.ReportAllocs()
		for b.Loop() {
			failed := false
			_, _ = trysail.Do(ctx, op, func(context.Context) (int, error) {
				if !failed {
					failed = true
					return 0, errDown
				}
				return 1, nil
			})
		}
	})
	b.Run("parallel", func(b *testing.B) {
		op, ctx := newOperation(b, trysail.Policy{}), b.Context()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _ = trysail.Do(ctx, op, success)
			}
		})
	})
}
