package org.tokenrate.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import org.openjdk.jmh.runner.format.OutputFormat;

/** Several listeners to one JMH run, which goes no further once the program is to end. */
final class Tee {
    private Tee() {}

    static OutputFormat of(List<OutputFormat> formats, Stop stop) {
        return (OutputFormat)
                Proxy.newProxyInstance(
                        OutputFormat.class.getClassLoader(),
                        new Class<?>[] {OutputFormat.class},
                        (proxy, method, args) -> {
                            // JMH compares its format with nothing and keeps it in no map.
                            if (method.getDeclaringClass() == Object.class) return "Tee";
                            stop.check();
                            try {
                                for (OutputFormat f : formats) method.invoke(f, args);
                                return null;
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }
}
