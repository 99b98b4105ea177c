package host

import "testing"

// Memory that was given back comes again in the length asked for, and what is no frame is
// not kept: a plugin must not fill the pool with it.
func TestFrameBuffers(t *testing.T) {
	var p frameBuffers
	for _, n := range []int{0, 1, frameBytes / 4, frameBytes - 1, frameBytes, frameBytes + 1, 1 << 20} {
		for range 3 {
			b := p.Get(n)
			if len(*b) != n {
				t.Errorf("asked for %d bytes, got %d", n, len(*b))
			}
			*b = (*b)[:n/2]
			p.Put(b)
		}
	}
	for range 10 {
		if b, ok := p.frames.Get().(*[]byte); ok && cap(*b) != frameBytes {
			t.Errorf("the pool holds %d bytes", cap(*b))
		}
	}
}
