package org.pgporter.node.login;

import java.util.Map;
import java.util.function.Supplier;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.IdentityMap;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.PamOptions;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.ldap.LdapService;
import org.pgporter.node.os.PamService;

/// The methods that ask somebody else than a stored secret: the operating system, a directory, whoever has signed a
/// certificate. Together, because each of them has threads or connections that end with the node.
public final class OtherMethods implements AutoCloseable {
    private final PamService pam;
    private final LdapService ldap;
    private final PeerLogin peer;
    private final PamLogin pamLogin;
    private final LdapLogin ldapLogin;
    private final ClientCertificates certificates;

    private OtherMethods(ProxyConfig config, Supplier<IdentityMap> maps) {
        GeneralConfig general = config.general();
        PamOptions options = general.methods().pam();
        this.pam = new PamService(options.pamTimeout(), options.pamThreads(), options.pamQueue());
        this.ldap = new LdapService(general.methods().ldap());
        this.peer = new PeerLogin(maps);
        this.pamLogin = new PamLogin(config, pam);
        this.ldapLogin = new LdapLogin(ldap);
        this.certificates = new ClientCertificates(
                general.clientTls().offered() && general.clientTls().tlsCaCert().isPresent(), maps);
    }

    /// Threads and connections begin when they are first needed.
    ///
    /// @param maps those that hold at this moment
    public static OtherMethods start(ProxyConfig config, Supplier<IdentityMap> maps) {
        return new OtherMethods(config, maps);
    }

    /// What rules can demand.
    public Map<AuthMethod, LoginMethod> byRule() {
        return Map.of(
                AuthMethod.PAM, pamLogin,
                AuthMethod.LDAP, ldapLogin,
                AuthMethod.PEER, peer,
                AuthMethod.CERT, certificates::cert);
    }

    /// What a rule can demand beside a method: a certificate.
    public LoginMethod besides(LoginMethod method) {
        return certificates.besides(method);
    }

    /// What has been counted of PAM.
    public PamService pam() {
        return pam;
    }

    /// What has been counted of LDAP.
    public LdapService ldap() {
        return ldap;
    }

    @Override
    public void close() {
        pam.close();
        ldap.close();
        peer.close();
    }
}
