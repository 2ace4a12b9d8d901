package org.tokenrate.run;

/** How the user wrote a parameter, so that an error speaks of what was written. */
public interface ParameterStyle {
    /** JMH's: {@code name=value}, after {@code -p}. */
    ParameterStyle JMH =
            new ParameterStyle() {
                @Override
                public String given(String name, String value) {
                    return name + "=" + value;
                }

                @Override
                public String example(String name, String value) {
                    return "-p " + name + "=" + value;
                }
            };

    /** What was given. */
    String given(String name, String value);

    /** What to give instead. */
    String example(String name, String value);
}
