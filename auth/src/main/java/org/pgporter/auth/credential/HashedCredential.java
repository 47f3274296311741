package org.pgporter.auth.credential;

/// A stored credential that a client's proof can be checked against without further work.
public sealed interface HashedCredential extends StoredCredential permits ScramSecret, Md5Secret, RotatedSecret {}
