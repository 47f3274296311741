/// Who may come in: the steps of an authentication, the exchange that takes them, and the identity at the end.
/// Pure values and small machines; no actors, no network, no clock of its own, nothing that waits. Mechanisms
/// live in packages below; only [org.pgporter.auth.ExchangeSelection] knows them all.
@NullMarked
package org.pgporter.auth;

import org.jspecify.annotations.NullMarked;
