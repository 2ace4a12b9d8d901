package org.tokenrate.cli;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;

/**
 * A headless Chromium with one page, driven by its DevTools protocol
 * (https://chromedevtools.github.io/devtools-protocol/).
 */
final class Chromium implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long TIMEOUT_SECONDS = 60;

    /** The way it works as root, in a container, and alone. */
    private static final List<String> FLAGS =
            List.of(
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--disable-dev-shm-usage",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--remote-debugging-port=0");

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final BlockingQueue<JsonNode> answers = new LinkedBlockingQueue<>();
    private final List<JsonNode> events = Collections.synchronizedList(new ArrayList<>());
    private String session = "";
    private int sent;

    /** Where it is installed, if it is. */
    static Optional<Path> binary() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(":"))
                .flatMap(
                        folder ->
                                Stream.of("chromium", "chromium-browser", "google-chrome")
                                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    static Chromium start(Path binary) throws Exception {
        Path profile = Files.createTempDirectory("chromium-profile-");
        var command = new ArrayList<>(List.of(binary.toString()));
        command.addAll(FLAGS);
        command.add("--user-data-dir=" + profile);
        command.add("about:blank");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(profile.resolve("output.log").toFile())
                        .start();
        try {
            return new Chromium(process, profile, address(process, profile));
        } catch (Exception e) {
            end(process, profile);
            throw e;
        }
    }

    /** It writes its port and path into its profile once it listens. */
    private static URI address(Process process, Path profile) throws Exception {
        Path file = profile.resolve("DevToolsActivePort");
        for (int i = 0; i < TIMEOUT_SECONDS * 10; i++) {
            if (Files.exists(file)) {
                List<String> lines = Files.readAllLines(file);
                if (lines.size() == 2) {
                    return URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1));
                }
            }
            if (!process.isAlive()) break;
            Thread.sleep(100);
        }
        throw new IOException(
                "Chromium does not start:\n" + Files.readString(profile.resolve("output.log")));
    }

    private Chromium(Process process, Path profile, URI address) throws Exception {
        this.process = process;
        this.profile = profile;
        socket =
                HttpClient.newHttpClient()
                        .newWebSocketBuilder()
                        .buildAsync(address, new Listener())
                        .get(TIMEOUT_SECONDS, SECONDS);
        String target =
                call("Target.createTarget", Map.of("url", "about:blank")).get("targetId").asText();
        session =
                call("Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                        .get("sessionId")
                        .asText();
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) {
            call(domain + ".enable", Map.of());
        }
    }

    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                take(text.toString());
                text.setLength(0);
            }
            webSocket.request(1);
            return null;
        }

        private void take(String message) {
            try {
                JsonNode json = JSON.readTree(message);
                if (json.has("id")) answers.add(json);
                else events.add(json);
            } catch (IOException e) {
                throw new IllegalStateException(message, e);
            }
        }
    }

    /** Calls a method of the protocol and waits for its result. */
    JsonNode call(String method, Map<String, ?> params) throws Exception {
        ObjectNode message = JSON.createObjectNode();
        message.put("id", ++sent).put("method", method);
        message.set("params", JSON.valueToTree(params));
        if (!session.isEmpty()) message.put("sessionId", session);
        socket.sendText(message.toString(), true).get(TIMEOUT_SECONDS, SECONDS);
        JsonNode answer = answers.poll(TIMEOUT_SECONDS, SECONDS);
        if (answer == null || answer.get("id").asInt() != sent || answer.has("error")) {
            throw new IOException(method + ": " + answer);
        }
        return answer.get("result");
    }

    /** Opens a file and waits until it is loaded and drawn. */
    void open(Path file) throws Exception {
        events.clear();
        call("Page.navigate", Map.of("url", file.toUri().toString()));
        for (int i = 0; events("Page.loadEventFired").isEmpty(); i++) {
            if (i > TIMEOUT_SECONDS * 20) throw new IOException(file + " does not load");
            Thread.sleep(50);
        }
        drawn();
    }

    /** Waits for two frames: what was asked for before is on the screen. */
    void drawn() throws Exception {
        evaluate(
                "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))");
    }

    /** The value of an expression. */
    JsonNode evaluate(String expression) throws Exception {
        JsonNode result =
                call(
                        "Runtime.evaluate",
                        Map.of(
                                "expression", expression,
                                "returnByValue", true,
                                "awaitPromise", true,
                                "userGesture", true));
        if (result.has("exceptionDetails")) throw new IOException(expression + ": " + result);
        return result.path("result").path("value");
    }

    /** What happened since the file was opened. */
    List<JsonNode> events(String method) {
        synchronized (events) {
            return events.stream().filter(e -> e.get("method").asText().equals(method)).toList();
        }
    }

    @Override
    public void close() throws Exception {
        socket.abort();
        end(process, profile);
    }

    private static void end(Process process, Path profile) throws Exception {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        for (ProcessHandle p : all) p.destroyForcibly();
        for (ProcessHandle p : all) p.onExit().get(TIMEOUT_SECONDS, SECONDS);
        try (Stream<Path> files = Files.walk(profile)) {
            for (Path f : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(f);
        }
    }
}
