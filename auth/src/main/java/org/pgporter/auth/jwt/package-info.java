/// Tokens (JSON Web Tokens, RFC 7519) as proof of who somebody is: reading them strictly, the keys that
/// sign them, and the decision. The network, files and clocks are the caller's; signatures are checked on
/// an executor of the caller's.
@NullMarked
package org.pgporter.auth.jwt;

import org.jspecify.annotations.NullMarked;
