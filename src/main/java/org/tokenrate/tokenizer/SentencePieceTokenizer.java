package org.tokenrate.tokenizer;

import ai.djl.sentencepiece.SpTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A SentencePiece {@code tokenizer.model} (Llama 1 and 2, Mistral, InternLM, InternLM2), encoded by
 * Google's own library through DJL.
 *
 * <p>Around a text stands what Llama's and InternLM's tokenizer classes put there: the begin token,
 * and no end token; {@code add_bos_token} and {@code add_eos_token} of {@code
 * tokenizer_config.json} decide otherwise. Whether a space is put before the text is the model's
 * own to say ({@code add_dummy_prefix}).
 *
 * <p>Text that looks like a special or added token is encoded as text, as SentencePiece and Meta's
 * code have it: a prompt of a dataset must not end in the middle. (Hugging Face's classes cut such
 * a text at the token; their {@code legacy} setting is about the space after one, and so without
 * effect here.)
 */
final class SentencePieceTokenizer extends TableTokenizer {
    static {
        Djl.stayOffline();
    }

    private final SpTokenizer library;
    private volatile boolean closed;

    private SentencePieceTokenizer(
            SpTokenizer library, TokenTable table, int[] before, int[] after) {
        super(table, before, after);
        this.library = library;
    }

    static SentencePieceTokenizer read(Path file, TokenizerSettings settings) throws IOException {
        SentencePieceModel model = SentencePieceModel.read(file);
        var bos =
                new Role(
                        "bos_token", settings.addBos(), settings.bos(), model.trainer().bosPiece());
        var eos =
                new Role(
                        "eos_token", settings.addEos(), settings.eos(), model.trainer().eosPiece());
        int[] before = bos.add().orElse(true) ? token(file, model, settings, bos) : new int[0];
        int[] after = eos.add().orElse(false) ? token(file, model, settings, eos) : new int[0];
        SpTokenizer library;
        try {
            library = new SpTokenizer(model.toProto());
        } catch (RuntimeException | LinkageError e) {
            throw new IOException(
                    "the SentencePiece library cannot read " + file + ": " + e.getMessage(), e);
        }
        return new SentencePieceTokenizer(library, model.table(settings.added()), before, after);
    }

    /**
     * A token beside a text.
     *
     * @param add what the settings say, if anything
     * @param named how the settings spell it, if they do
     * @param own how the model spells it, which may have no such piece
     */
    private record Role(String name, Optional<Boolean> add, Optional<String> named, String own) {}

    private static int[] token(
            Path file, SentencePieceModel model, TokenizerSettings settings, Role role)
            throws IOException {
        if (role.named().isPresent()) {
            String text = role.named().get();
            Optional<Integer> id = settings.find(text).or(() -> model.find(text));
            if (id.isPresent()) return new int[] {id.get()};
            throw new IOException(
                    String.format(
                            "%s \"%s\" is no token of %s; correct it in tokenizer_config.json",
                            role.name(), text, file));
        }
        Optional<Integer> id = model.findControl(role.own());
        if (id.isPresent()) return new int[] {id.get()};
        if (role.add().isEmpty()) return new int[0];
        throw new IOException(
                String.format(
                        "%s has no %s to add; name it in tokenizer_config.json or do not add it",
                        file, role.name()));
    }

    @Override
    int[] ordinary(String text) {
        if (closed) throw new IllegalStateException("the tokenizer is closed");
        return library.getProcessor().encode(text);
    }

    /** Once only: the library would free its memory twice. */
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        library.close();
    }
}
