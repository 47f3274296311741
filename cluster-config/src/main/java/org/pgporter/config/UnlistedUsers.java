package org.pgporter.config;

import java.time.Duration;

/// What holds for the pools of users who do not stand in the configuration: how many there may be, and how long
/// they stay.
///
/// @param source who vouches for them, such as `issuer corp`; each source is counted by itself
/// @param most users of the source that have pools at one time; one whom nobody uses makes room for another
/// @param keptFor how long a pool stays after its last session; 0: for good
public record UnlistedUsers(String source, int most, Duration keptFor) {}
