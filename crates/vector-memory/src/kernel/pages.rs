//! Memory in huge pages.
//!
//! What is read at random among hundreds of megabytes misses the processor's list of pages as often as its caches,
//! and on a virtual machine finding a page costs several reads of memory itself.

/// Asks the system to back a big vector by huge pages, as far as its capacity covers whole ones; best before it is
/// filled. Changes nothing else, and where there is no such thing nothing at all.
pub(crate) fn prefer_huge_pages<T>(memory: &Vec<T>) {
    #[cfg(target_os = "linux")]
    {
        let start = memory.as_ptr().addr();
        let first = start.next_multiple_of(HUGE_PAGE);
        let end = (start + memory.capacity() * size_of::<T>()) / HUGE_PAGE * HUGE_PAGE;
        if end > first {
            let at = memory.as_ptr().cast::<u8>().wrapping_add(first - start);
            // SAFETY: the range lies within the vector's memory, of which this advice changes neither what is in it
            // nor who may use it. Where it is not taken, pages stay small.
            let _ = unsafe {
                rustix::mm::madvise(
                    at.cast_mut().cast(),
                    end - first,
                    rustix::mm::Advice::LinuxHugepage,
                )
            };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;
