package org.pgporter.cli;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Signals of the operating system, heard without a shutdown hook: a hook cannot tell the second SIGTERM from the
/// first, and the JVM
/// would exit with 143 where an orderly end is a 0. The only class that uses `sun.misc.Signal`.
public final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /// From now on SIGTERM and SIGINT no longer end the JVM: the first of them runs `first`, each later one runs
    /// `again`. Both are given
    /// the signal's name (`TERM`, `INT`) and run on a thread of their own.
    public static void onStop(Consumer<String> first, Consumer<String> again) {
        var seen = new AtomicInteger();
        Consumer<String> handler = name -> (seen.getAndIncrement() == 0 ? first : again).accept(name);
        on("TERM", handler);
        on("INT", handler);
    }

    /// SIGHUP would end the JVM; from now on it runs this instead, on a thread of its own.
    public static void onHangup(Runnable action) {
        on("HUP", _ -> action.run());
    }

    /// SIGUSR1 runs this, as PAUSE in PgBouncer.
    public static void onPause(Runnable action) {
        on("USR1", _ -> action.run());
    }

    /// SIGUSR2 runs this, as RESUME in PgBouncer.
    public static void onResume(Runnable action) {
        on("USR2", _ -> action.run());
    }

    /// Reflection, because the compiler warns of every use of the class and JDK 25 has no way to allow it.
    private static void on(String name, Consumer<String> handler) {
        try {
            var signal = Class.forName("sun.misc.Signal");
            var signalHandler = Class.forName("sun.misc.SignalHandler");
            var proxy = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {signalHandler}, (_, method, arguments) -> {
                        if (method.getDeclaringClass() == Object.class) {
                            return method.invoke(handler, arguments);
                        }
                        handler.accept(name);
                        return null;
                    });
            signal.getMethod("handle", signal, signalHandler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
        } catch (ReflectiveOperationException e) {
            // The system does not know the signal, or the JVM runs with -Xrs.
            LOG.atWarn().addKeyValue(LogKeys.SIGNAL, name).setCause(e).log("signal cannot be heard");
        }
    }
}
