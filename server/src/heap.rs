//! Counts what this process takes from the heap, for the bench that shows the packet path to take nothing.

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Counts from now until the guard is dropped.
pub(crate) fn count() -> dhat::Profiler {
    dhat::Profiler::builder().testing().build()
}

/// How often memory was taken so far.
pub(crate) fn blocks() -> u64 {
    dhat::HeapStats::get().total_blocks
}
