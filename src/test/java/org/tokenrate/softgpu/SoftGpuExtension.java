package org.tokenrate.softgpu;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Runs a class's tests in a JVM on the software GPU and gives each test's result here. */
final class SoftGpuExtension
        implements ExecutionCondition,
                BeforeAllCallback,
                AfterAllCallback,
                AfterEachCallback,
                InvocationInterceptor {
    /** Set in the JVM on the software GPU. */
    static final String THERE = "org.tokenrate.softgpu.there";

    private static final Namespace NAMESPACE = Namespace.create(SoftGpuExtension.class);

    private static boolean there() {
        return Boolean.getBoolean(THERE);
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        Optional<String> missing = there() ? Optional.empty() : SoftGpu.missing();
        if (SoftGpu.isRequired()) missing = Optional.empty(); // and fails, as there is none
        return missing.map(ConditionEvaluationResult::disabled)
                .orElseGet(() -> ConditionEvaluationResult.enabled("the software GPU is here"));
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException, InterruptedException {
        Class<?> tests = context.getRequiredTestClass();
        if (there() || tests.getEnclosingClass() != null) return;
        SoftGpu.assumeHere();
        OnSoftGpu wanted = tests.getAnnotation(OnSoftGpu.class);
        SoftGpu gpu =
                SoftGpu.build()
                        .devices(wanted.devices())
                        .check(wanted.check())
                        .memory(wanted.memory())
                        .architecture(wanted.architecture())
                        .fail(wanted.fail());
        Path scratch = Files.createTempDirectory("softgpu");
        Path results = scratch.resolve("results.json");
        SoftGpu.Ended ended =
                gpu.run(scratch, SoftGpuTests.class, tests.getName(), results.toString());
        context.getStore(NAMESPACE).put(tests, Results.read(results, ended));
        try (Stream<Path> files = Files.list(scratch)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(scratch);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        Class<?> tests = context.getRequiredTestClass();
        if (there() || tests.getEnclosingClass() != null) return;
        results(context).requireCleanEnd();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (!there()) return;
        String report = Report.take();
        if (!report.isEmpty()) throw new AssertionError("the software GPU reports: " + report);
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        test(invocation, context);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        test(invocation, context);
    }

    @Override
    public <T> T interceptTestFactoryMethod(
            Invocation<T> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        if (!there()) {
            throw new UnsupportedOperationException(
                    "@TestFactory does not work on the software GPU; take @ParameterizedTest");
        }
        return invocation.proceed();
    }

    @Override
    public void interceptBeforeAllMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        only(there(), invocation);
    }

    @Override
    public void interceptAfterAllMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        only(there(), invocation);
    }

    @Override
    public void interceptBeforeEachMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        only(there(), invocation);
    }

    @Override
    public void interceptAfterEachMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        only(there(), invocation);
    }

    private static void test(Invocation<Void> invocation, ExtensionContext context)
            throws Throwable {
        only(there(), invocation);
        if (!there()) results(context).require(context.getUniqueId());
    }

    private static void only(boolean wanted, Invocation<Void> invocation) throws Throwable {
        if (wanted) invocation.proceed();
        else invocation.skip();
    }

    private static Results results(ExtensionContext context) {
        Class<?> outermost = context.getRequiredTestClass();
        while (outermost.getEnclosingClass() != null) outermost = outermost.getEnclosingClass();
        return context.getStore(NAMESPACE).get(outermost, Results.class);
    }
}
