package monitor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While a reader is at work recorders go on; what is too much is dropped, counted, and nothing else is lost.
func TestRecordersDoNotWaitForReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{MaxPending: 256})
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock() // as a reader does
		for range 300 {
			c.RecordPresetUsage(Subject{}) // would deadlock the bubble if it waited
		}
		c.mu.Unlock()
		n := c.Counts()
		if n.Recorded != 256 || n.Dropped != 44 || n.Held != 256 {
			t.Errorf("Counts() = %+v, want 256 recorded and held, 44 dropped", n)
		}
		for range 1000 {
			c.RecordPresetUsage(Subject{})
		}
		if n := c.Counts(); n.Recorded != 1256 || n.Dropped != 44 {
			t.Errorf("Counts() = %+v, want 1256 recorded and no more dropped", n)
		}
	})
}

// Recorders that find a backlog file two batches for each of theirs, so that it goes away.
func TestRecordersMakeUpForReaders(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	for range 100 * batch {
		c.RecordPresetUsage(Subject{})
	}
	c.mu.Unlock()
	for range 101 * batch {
		c.RecordPresetUsage(Subject{})
	}
	if waiting := c.intake.waiting(); waiting > 1 {
		t.Errorf("%d batches wait, want at most 1", waiting)
	}
	if len(c.intake.spare) > 2 {
		t.Errorf("%d batches are spare, want at most 2: the backlog's memory must go", len(c.intake.spare))
	}
}

func TestIntakeOrder(t *testing.T) {
	q := newIntake(10)
	for i := range 5*batch + 3 {
		q.add(&entry{value: float64(i)})
	}
	next := 0.0
	for q.waiting() > 0 {
		filed := q.take(true)
		for i := range filed {
			if filed[i].value != next {
				t.Fatalf("entry %v comes when %v is next", filed[i].value, next)
			}
			next++
		}
		q.giveBack(filed)
	}
	if next != 5*batch+3 {
		t.Errorf("%v entries came, want %d", next, 5*batch+3)
	}
	if filed := q.take(true); filed != nil {
		t.Errorf("take() = %d entries of an empty intake, want none", len(filed))
	}
}

// The clock follows the time of day, but never backwards.
func TestIntakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newIntake(1)
		first := q.moment()
		if first != time.Now().UnixNano() {
			t.Errorf("moment() = %d, want %d", first, time.Now().UnixNano())
		}
		time.Sleep(refresh - 1)
		if got := q.moment(); got != first+int64(refresh)-1 {
			t.Errorf("moment() = %d, want %d", got, first+int64(refresh)-1)
		}
		q.origin += int64(time.Hour) // as if somebody had set the clock back by an hour
		ahead := q.moment()
		time.Sleep(refresh)
		if got := q.moment(); got != ahead {
			t.Errorf("moment() after the clock was set back = %d, want %d as before", got, ahead)
		}
		time.Sleep(2 * time.Hour)
		if got := q.moment(); got != time.Now().UnixNano() {
			t.Errorf("moment() when the clock is right again = %d, want %d", got, time.Now().UnixNano())
		}
	})
}

func TestGroup(t *testing.T) {
	var g group
	pushed, popped := 0, 0
	push := func(n int) {
		for range n {
			pushed++
			g.push(&entry{at: int64(pushed), seq: uint64(10 * pushed)})
		}
	}
	pop := func(n int) {
		for range n {
			g.pop()
			popped++
		}
	}
	for _, step := range [][2]int{{1, 1}, {block, block}, {block + 1, 1}, {0, block}, {3 * block, block - 1}, {1, 2*block + 2}, {10, 0}} {
		push(step[0])
		pop(step[1])
		if g.len() != pushed-popped {
			t.Fatalf("len() = %d, want %d", g.len(), pushed-popped)
		}
		for i := range g.len() {
			if got := g.at(g.head + i).at; got != int64(popped+i+1) {
				t.Fatalf("entry %d of the group is %d, want %d", i, got, popped+i+1)
			}
		}
		if g.len() > 0 {
			if i := g.after(int64(popped+1)) - g.head; i != 1 {
				t.Errorf("after(the oldest) is the entry %d, want 1", i)
			}
			if i := g.behind(uint64(10*popped+5)) - g.head; i != 0 {
				t.Errorf("behind(between) is the entry %d, want 0", i)
			}
		}
		if most := g.len()/block + 2; len(g.blocks) > most {
			t.Errorf("%d entries are in %d blocks, want at most %d", g.len(), len(g.blocks), most)
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	var n names
	large := strings.Repeat("x", 3*maxNames)
	for i := range 3 * maxNames {
		if got := n.keep(large[:i], 0); got != large[:i] {
			t.Fatalf("keep() = %d bytes, want %d", len(got), i)
		}
		if len(n.kept) > maxNames {
			t.Fatalf("%d names are kept, want at most %d", len(n.kept), maxNames)
		}
	}
}
