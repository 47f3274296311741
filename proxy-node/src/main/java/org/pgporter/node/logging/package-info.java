/// How log lines look and where they go: one line per fact, with fixed keys, as text or as JSON. Code elsewhere
/// only uses slf4j's fluent API with the names of [LogKeys]; this package is the only one that knows logback.
/// It depends on the configuration only.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.logging;
