package host

import "sync"

// frameBytes is the longest piece in which rows come: gRPC cuts all that it sends.
const frameBytes = 16 << 10

// frameBuffers lends the memory of what plugins send. gRPC's own lender clears all of it
// every time, although it is written over at once.
type frameBuffers struct{ frames sync.Pool }

// Get fulfils mem.BufferPool. What is in the memory is not told.
func (p *frameBuffers) Get(n int) *[]byte {
	if n > frameBytes || n < frameBytes/4 {
		b := make([]byte, n)
		return &b
	}
	b, ok := p.frames.Get().(*[]byte)
	if !ok {
		fresh := make([]byte, frameBytes)
		b = &fresh
	}
	*b = (*b)[:n]
	return b
}

// Put fulfils mem.BufferPool.
func (p *frameBuffers) Put(b *[]byte) {
	if cap(*b) == frameBytes {
		p.frames.Put(b)
	}
}
