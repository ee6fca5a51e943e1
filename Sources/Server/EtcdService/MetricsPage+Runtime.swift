// Go's runtime, in whose terms dashboards ask. There is none here: what has an equivalent is measured, and what there is
// none of is none.
extension MetricsPage {
    mutating func runtime() {
        let figures = RuntimeFigures()
        collector()
        gauge("go_goroutines", "Threads of the operating system: what runs by itself here.", figures.threads)
        family("go_info", "gauge", "Information about the toolchain.")
        sample("go_info{version=\"\(RuntimeFigures.toolchain)\"}", 1)
        memory(figures)
        gauge(
            "go_sched_gomaxprocs_threads", "Processors that the process may run on.", figures.processors)
        gauge("go_threads", "Number of OS threads.", figures.threads)
    }

    /// Memory is freed when its last reference goes, so nothing is ever collected.
    private mutating func collector() {
        let pauses = "go_gc_duration_seconds"
        family(pauses, "summary", "Pauses of a garbage collector; there is none.")
        for quantile in ["0", "0.25", "0.5", "0.75", "1"] { sample("\(pauses){quantile=\"\(quantile)\"}", 0) }
        sample("\(pauses)_sum", 0)
        sample("\(pauses)_count", 0)
        // As Go has them with GOGC=off and without GOMEMLIMIT: the largest number of each type.
        value(
            "go_gc_gogc_percent", "gauge", "The garbage collector is off, which is this number.",
            "1.8446744073709552e+19")
        value(
            "go_gc_gomemlimit_bytes", "gauge", "The runtime has no memory limit, which is this number.",
            "9.223372036854776e+18")
        for (name, help) in [
            ("gc_sys_bytes", "Bytes of a garbage collector's own"), ("last_gc_time_seconds", "Last garbage collection"),
            ("next_gc_bytes", "Heap bytes at which garbage is collected"),
            ("mcache_inuse_bytes", "Bytes of Go's caches in use"), ("mcache_sys_bytes", "Bytes of Go's caches"),
            ("mspan_inuse_bytes", "Bytes of Go's spans in use"), ("mspan_sys_bytes", "Bytes of Go's spans"),
            ("buck_hash_sys_bytes", "Bytes of a profiler's table"),
        ] {
            gauge("go_memstats_" + name, help + "; there is none.", 0)
        }
    }

    private mutating func memory(_ figures: RuntimeFigures) {
        let prefix = "go_memstats_"
        gauge(prefix + "stack_inuse_bytes", "Bytes of the main thread's stack.", figures.stackBytes)
        gauge(prefix + "stack_sys_bytes", "Bytes of the main thread's stack.", figures.stackBytes)
        guard let heap = figures.heap else { return }
        gauge(prefix + "alloc_bytes", "Bytes in blocks of malloc that are in use.", heap.usedBytes)
        gauge(prefix + "heap_alloc_bytes", "Bytes in blocks of malloc that are in use.", heap.usedBytes)
        gauge(prefix + "heap_inuse_bytes", "Bytes in blocks of malloc that are in use.", heap.usedBytes)
        gauge(prefix + "heap_idle_bytes", "Bytes in free blocks of malloc.", heap.systemBytes - heap.usedBytes)
        gauge(
            prefix + "heap_released_bytes", "Of the idle ones, those that the system has back: it has none of them.", 0)
        gauge(prefix + "heap_sys_bytes", "Bytes that malloc has of the system.", heap.systemBytes)
        gauge(
            prefix + "other_sys_bytes",
            "Bytes of private memory that are not malloc's: stacks of threads but the main one, static data.",
            figures.otherBytes)
        gauge(
            prefix + "sys_bytes", "Bytes of private memory that can be written to, touched or not.",
            heap.systemBytes + figures.stackBytes + figures.otherBytes)
    }
}
