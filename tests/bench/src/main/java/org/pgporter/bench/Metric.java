package org.pgporter.bench;

/// What can be measured of one work of one contender. The constants' names, in small letters, are what stands in
/// `measurements.csv`.
enum Metric {
    /// Processor time of the pooler for each transaction, in microseconds.
    CPU_MICROS,
    /// Processor time of PostgreSQL and its backends for each transaction, in microseconds.
    SERVER_CPU_MICROS,
    TRANSACTIONS_PER_SECOND,
    AVERAGE_MILLIS,
    P50_MILLIS,
    P99_MILLIS,
    P999_MILLIS,
    WORST_MILLIS,
    /// The 99th percentile over the 50th.
    P99_OVER_P50,
    /// Memory of the pooler at the end, in megabytes.
    RESIDENT_MEGABYTES,
    /// Payload in a second, in units of a million bytes.
    MEGABYTES_PER_SECOND,
    /// Processor time of the pooler for each 10⁹ bytes of payload, in seconds.
    CPU_SECONDS_PER_GIGABYTE,
    /// What one idle client adds to the resident memory of the pooler, in units of 1,000 bytes.
    RESIDENT_KILOBYTES_PER_CLIENT,
    /// What one idle client adds to the heap after a full collection, in units of 1,000 bytes.
    HEAP_KILOBYTES_PER_CLIENT,
    /// From the start of the process to the first answer, in milliseconds.
    FIRST_ANSWER_MILLIS,
    /// What the process allocates on its heap for each transaction, in units of 1,000 bytes.
    ALLOCATED_KILOBYTES
}
