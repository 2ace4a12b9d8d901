package org.tokenrate.tokenizer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A SentencePiece model (sentencepiece_model.proto), of which only those parts are kept that decide
 * how text is encoded and decoded. What is read is checked, and only what was checked is written
 * again for the native library ({@link #toProto}): that one ends the process for a model with, for
 * example, a broken trie.
 *
 * @param pieces by id
 */
record SentencePieceModel(List<Piece> pieces, Trainer trainer, Normalizer normalizer) {
    /** The largest known (Gemma 3) has 4.7 MB and 262,144 pieces. */
    static final int MAX_BYTES = 64 << 20;

    static final int MAX_PIECES = 1 << 20;

    /** Training makes 16 characters at most by default; the library has room for 1024 matches. */
    static final int MAX_PIECE_BYTES = 1000;

    private static final float MAX_SCORE = 1e9f;
    private static final char SPACE = '\u2581';

    record Piece(String text, float score, PieceType type) {}

    /** In the order of their numbers in the file, from 1. */
    enum PieceType {
        NORMAL,
        UNKNOWN,
        CONTROL,
        USER_DEFINED,
        UNUSED,
        BYTE
    }

    /** What the model's training decided (trainer_spec). */
    record Trainer(
            int modelType,
            boolean byteFallback,
            String unkSurface,
            String unkPiece,
            String bosPiece,
            String eosPiece) {
        static final int UNIGRAM = 1;
        static final int BPE = 2;
    }

    /** What is done to a text first (normalizer_spec). */
    record Normalizer(
            byte[] charsMap,
            boolean addDummyPrefix,
            boolean removeExtraWhitespaces,
            boolean escapeWhitespaces) {}

    /**
     * @throws IOException one sentence that names the file and what is wrong with it
     */
    static SentencePieceModel read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new IOException(
                    file
                            + " has "
                            + size
                            + " bytes; a SentencePiece model has at most "
                            + MAX_BYTES);
        }
        SentencePieceModel model = new Parsing(file).parse(Files.readAllBytes(file));
        model.check(file);
        return model;
    }

    /** The token that is named {@code text}. */
    Optional<Integer> find(String text) {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).text().equals(text)) return Optional.of(id);
        }
        return Optional.empty();
    }

    /** A begin or end token as the model itself names it; many models have none. */
    Optional<Integer> findControl(String text) {
        return find(text).filter(id -> pieces.get(id).type() == PieceType.CONTROL);
    }

    private void check(Path file) throws IOException {
        if (pieces.isEmpty()) throw new IOException(file + " is no SentencePiece model: no pieces");
        Map<String, Integer> ids = new HashMap<>();
        int unknown = 0;
        int bytes = 0;
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            int length = piece.text().getBytes(StandardCharsets.UTF_8).length;
            Integer other = ids.put(piece.text(), id);
            if (other != null) {
                throw fault(file, id, "is the same as piece " + other);
            }
            if (length == 0) throw fault(file, id, "is empty");
            if (length > MAX_PIECE_BYTES) {
                throw fault(file, id, "has " + length + " bytes of at most " + MAX_PIECE_BYTES);
            }
            if (piece.text().indexOf('\0') >= 0) throw fault(file, id, "holds U+0000");
            if (!(Math.abs(piece.score()) <= MAX_SCORE)) {
                throw fault(file, id, "has the score " + piece.score());
            }
            if (piece.type() == PieceType.UNKNOWN) unknown++;
            if (piece.type() == PieceType.BYTE) {
                if (!TokenTable.isByte(piece.text())) throw fault(file, id, "is no byte");
                bytes++;
            }
        }
        if (unknown != 1) {
            throw new IOException(
                    file + " has " + unknown + " pieces for unknown characters and not one");
        }
        if (bytes != (trainer.byteFallback() ? 256 : 0)) {
            throw new IOException(
                    String.format(
                            "%s has %d byte pieces and byte_fallback=%s",
                            file, bytes, trainer.byteFallback()));
        }
        Optional<String> mapFault = CharsMap.fault(normalizer.charsMap());
        if (mapFault.isPresent()) {
            throw new IOException(file + ": its precompiled_charsmap " + mapFault.get());
        }
    }

    private static IOException fault(Path file, int id, String what) {
        return new IOException(file + ": piece " + id + " " + what);
    }

    /**
     * The kinds and bytes that decoding needs, by id.
     *
     * @param added tokens that a model folder adds to those of the model, or that take their place
     */
    TokenTable table(Map<Integer, AddedToken> added) {
        int size = added.keySet().stream().mapToInt(id -> id + 1).reduce(pieces.size(), Math::max);
        var form =
                new TokenTable.Form.SentencePiece(
                        normalizer.addDummyPrefix() || normalizer.removeExtraWhitespaces(),
                        normalizer.removeExtraWhitespaces());
        var table = new TokenTable.Builder(size, form);
        for (int id = 0; id < size; id++) {
            AddedToken token = added.get(id);
            if (token != null && (token.special() || id >= pieces.size() || renames(id, token))) {
                if (token.special()) table.addNone();
                else table.add(TokenTable.TEXT, token.content().getBytes(StandardCharsets.UTF_8));
            } else if (id < pieces.size()) {
                add(pieces.get(id), table);
            } else {
                table.addNone();
            }
        }
        return table.build();
    }

    private boolean renames(int id, AddedToken token) {
        return !pieces.get(id).text().equals(token.content());
    }

    private void add(Piece piece, TokenTable.Builder table) {
        switch (piece.type()) {
            case CONTROL -> table.addNone();
            case UNKNOWN ->
                    table.add(
                            TokenTable.TEXT, trainer.unkSurface().getBytes(StandardCharsets.UTF_8));
            case BYTE -> table.add(TokenTable.BYTE, TokenTable.byteOf(piece.text()));
            default ->
                    table.add(
                            piece.text().charAt(0) == SPACE ? TokenTable.SPACED : TokenTable.TEXT,
                            TokenTable.spaced(piece.text()));
        }
    }

    /** The model again, of nothing but what was read and checked. */
    byte[] toProto() {
        var proto = new ProtoWriter();
        for (Piece piece : pieces) {
            proto.message(
                    Field.PIECES,
                    new ProtoWriter()
                            .string(Field.PIECE, piece.text())
                            .fixed32(Field.SCORE, piece.score())
                            .varint(Field.TYPE, piece.type().ordinal() + 1));
        }
        proto.message(
                Field.TRAINER,
                new ProtoWriter()
                        .varint(Field.MODEL_TYPE, trainer.modelType())
                        .varint(Field.VOCAB_SIZE, pieces.size())
                        .bool(Field.BYTE_FALLBACK, trainer.byteFallback())
                        .string(Field.UNK_SURFACE, trainer.unkSurface())
                        .string(Field.UNK_PIECE, trainer.unkPiece())
                        .string(Field.BOS_PIECE, trainer.bosPiece())
                        .string(Field.EOS_PIECE, trainer.eosPiece()));
        return proto.message(
                        Field.NORMALIZER,
                        new ProtoWriter()
                                .bytes(Field.CHARS_MAP, normalizer.charsMap())
                                .bool(Field.ADD_DUMMY_PREFIX, normalizer.addDummyPrefix())
                                .bool(Field.REMOVE_EXTRA, normalizer.removeExtraWhitespaces())
                                .bool(Field.ESCAPE, normalizer.escapeWhitespaces()))
                .toBytes();
    }

    /** Field numbers of sentencepiece_model.proto. */
    private static final class Field {
        static final int PIECES = 1;
        static final int TRAINER = 2;
        static final int NORMALIZER = 3;
        static final int DENORMALIZER = 5;

        static final int PIECE = 1;
        static final int SCORE = 2;
        static final int TYPE = 3;

        static final int MODEL_TYPE = 3;
        static final int VOCAB_SIZE = 4;
        static final int WHITESPACE_AS_SUFFIX = 24;
        static final int BYTE_FALLBACK = 35;
        static final int UNK_SURFACE = 44;
        static final int UNK_PIECE = 45;
        static final int BOS_PIECE = 46;
        static final int EOS_PIECE = 47;

        static final int CHARS_MAP = 2;
        static final int ADD_DUMMY_PREFIX = 3;
        static final int REMOVE_EXTRA = 4;
        static final int ESCAPE = 5;
    }

    /** One file's fields as they come, with the defaults of the format. */
    private static final class Parsing {
        private final Path file;
        private final List<Piece> pieces = new ArrayList<>();
        private long modelType = Trainer.UNIGRAM;
        private boolean byteFallback;
        private String unkSurface = " \u2047 ";
        private String unkPiece = "<unk>";
        private String bosPiece = "<s>";
        private String eosPiece = "</s>";
        private byte[] charsMap = {};
        private boolean addDummyPrefix = true;
        private boolean removeExtraWhitespaces = true;
        private boolean escapeWhitespaces = true;

        Parsing(Path file) {
            this.file = file;
        }

        SentencePieceModel parse(byte[] bytes) throws IOException {
            var model = new ProtoReader(file, bytes);
            while (model.next()) {
                switch (model.field()) {
                    case Field.PIECES -> readPiece(model.message());
                    case Field.TRAINER -> readTrainer(model.message());
                    case Field.NORMALIZER -> readNormalizer(model.message());
                    case Field.DENORMALIZER -> readDenormalizer(model.message());
                    default -> model.skip();
                }
            }
            if (modelType != Trainer.UNIGRAM && modelType != Trainer.BPE) {
                throw new IOException(
                        file
                                + " is a SentencePiece model of type "
                                + modelType
                                + "; only unigram (1) and BPE (2) are known");
            }
            return new SentencePieceModel(
                    pieces,
                    new Trainer(
                            (int) modelType,
                            byteFallback,
                            unkSurface,
                            unkPiece,
                            bosPiece,
                            eosPiece),
                    new Normalizer(
                            charsMap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces));
        }

        private void readPiece(ProtoReader piece) throws IOException {
            String text = "";
            float score = 0;
            PieceType type = PieceType.NORMAL;
            while (piece.next()) {
                switch (piece.field()) {
                    case Field.PIECE -> text = piece.string();
                    case Field.SCORE -> score = piece.fixed32();
                    case Field.TYPE -> type = type(piece, piece.varint());
                    default -> piece.skip();
                }
            }
            if (pieces.size() == MAX_PIECES) {
                throw piece.broken("it has more than " + MAX_PIECES + " pieces");
            }
            pieces.add(new Piece(text, score, type));
        }

        private static PieceType type(ProtoReader piece, long number) throws IOException {
            if (number < 1 || number > PieceType.values().length) {
                throw piece.broken("a piece is of the unknown type " + number);
            }
            return PieceType.values()[(int) number - 1];
        }

        private void readTrainer(ProtoReader trainer) throws IOException {
            while (trainer.next()) {
                switch (trainer.field()) {
                    case Field.MODEL_TYPE -> modelType = trainer.varint();
                    case Field.BYTE_FALLBACK -> byteFallback = trainer.bool();
                    case Field.UNK_SURFACE -> unkSurface = trainer.string();
                    case Field.UNK_PIECE -> unkPiece = trainer.string();
                    case Field.BOS_PIECE -> bosPiece = trainer.string();
                    case Field.EOS_PIECE -> eosPiece = trainer.string();
                    case Field.WHITESPACE_AS_SUFFIX -> {
                        if (trainer.bool()) {
                            throw new IOException(
                                    file
                                            + " treats whitespace as a suffix, which is not known here");
                        }
                    }
                    default -> trainer.skip();
                }
            }
        }

        private void readNormalizer(ProtoReader normalizer) throws IOException {
            while (normalizer.next()) {
                switch (normalizer.field()) {
                    case Field.CHARS_MAP -> charsMap = normalizer.bytes();
                    case Field.ADD_DUMMY_PREFIX -> addDummyPrefix = normalizer.bool();
                    case Field.REMOVE_EXTRA -> removeExtraWhitespaces = normalizer.bool();
                    case Field.ESCAPE -> escapeWhitespaces = normalizer.bool();
                    default -> normalizer.skip();
                }
            }
        }

        private void readDenormalizer(ProtoReader denormalizer) throws IOException {
            while (denormalizer.next()) {
                boolean rules = denormalizer.field() == Field.CHARS_MAP;
                if (!rules) denormalizer.skip();
                else if (denormalizer.bytes().length > 0) {
                    throw new IOException(
                            file
                                    + " changes text as it decodes (denormalizer_spec), which is not known here");
                }
            }
        }
    }
}
