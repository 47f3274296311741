/// How a login is decided: which rule holds, which method it demands, and what the client is asked. One class for each
/// family of methods, below [org.pgporter.node.login.LoginPolicy], which chooses between them.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.login;
