//! `repeat ROW TIMES`: does the work of a row so many times, and says how
//! much memory it took from the heap meanwhile. Counted under valgrind, the
//! difference between two numbers of times is the cost of the work alone.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let usage = "usage: repeat ROW TIMES";
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().expect(usage);
    let times: usize = arguments.next().expect(usage).parse().expect(usage);
    let rows = mcas_bench::rows();
    let (_, work) =
        rows.iter().find(|row| row.0 == name).expect("there is such a row");
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..times {
        black_box(work());
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    println!("{allocations} allocations");
}
