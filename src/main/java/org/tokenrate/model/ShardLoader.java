package org.tokenrate.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tokenrate.checkpoint.Checkpoint;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;
import org.tokenrate.device.Device;
import org.tokenrate.device.HeadNorms;
import org.tokenrate.device.Matrix;
import org.tokenrate.device.Table;
import org.tokenrate.model.Shard.Range;

/** Loads a rank's part of a checkpoint onto its device; of the rest nothing is read. */
final class ShardLoader {
    private final ModelConfig config;
    private final TensorNames names;
    private final Weights weights;
    private final Device device;
    private final Shard shard;

    /** A decoder layer's weights, as far as this rank holds them. */
    record Layer(
            int window,
            Table attentionNorm,
            Matrix qkv,
            Optional<HeadNorms> headNorms,
            Matrix output,
            Table mlpNorm,
            Matrix gate,
            Matrix up,
            Matrix down) {
        long bytes() {
            long norms = attentionNorm.bytes() + mlpNorm.bytes();
            norms += headNorms.map(n -> n.query().bytes() + n.key().bytes()).orElse(0L);
            return norms + qkv.bytes() + output.bytes() + gate.bytes() + up.bytes() + down.bytes();
        }
    }

    ShardLoader(Shard shard, Checkpoint checkpoint, Device device) {
        this.shard = shard;
        this.device = device;
        config = shard.config();
        names = config.architecture().names;
        weights = new Weights(checkpoint);
    }

    Table embedding() throws IOException {
        return device.loadTable(embeddingData());
    }

    private TensorData embeddingData() throws IOException {
        return weights.take(names.embedding(), config.vocabularySize(), config.hiddenSize());
    }

    Table finalNorm() throws IOException {
        return table(names.finalNorm(), config.hiddenSize());
    }

    Matrix head() throws IOException {
        int vocabulary = config.vocabularySize();
        if (config.tiedEmbeddings()) weights.passOver(names.head() + ".weight");
        LinearData head =
                config.tiedEmbeddings()
                        ? new DenseData(embeddingData())
                        : weights.linear(names.head(), vocabulary, config.hiddenSize());
        Range rows = shard.vocabulary();
        return device.loadMatrix(List.of(head.slice(rows.from(), rows.to())), List.of());
    }

    /**
     * @throws IOException if the checkpoint has a tensor that was not taken
     */
    void checkAllTaken() throws IOException {
        weights.checkAllTaken();
    }

    Layer layer(int i) throws IOException {
        AttentionConfig attention = config.attention();
        int hidden = config.hiddenSize();
        int dim = config.headDim();
        String layer = names.layer(i);
        Table attentionNorm = table(layer + names.attentionNorm(), hidden);
        Matrix qkv = qkv(layer);
        Optional<HeadNorms> headNorms = Optional.empty();
        if (attention.headNorms()) {
            Table query = table(layer + names.queryNorm(), dim);
            Table key = table(layer + names.keyNorm(), dim);
            headNorms = Optional.of(new HeadNorms(query, key, config.rmsNormEps()));
        }
        return new Layer(
                attention.window().tokens(i),
                attentionNorm,
                qkv,
                headNorms,
                byColumns(
                        layer + names.output(),
                        config.queryWidth(),
                        shard.heads().times(dim),
                        attention.outputBias()),
                table(layer + names.mlpNorm(), hidden),
                byRows(layer + names.gate()),
                byRows(layer + names.up()),
                byColumns(
                        layer + names.down(),
                        config.intermediateSize(),
                        shard.middle(),
                        config.mlpBias()));
    }

    private Table table(String name, int size) throws IOException {
        return device.loadTable(weights.take(name, size));
    }

    /** The MLP's first products: each rank has some of the outputs. */
    private Matrix byRows(String name) throws IOException {
        int outputs = config.intermediateSize();
        Range rows = shard.middle();
        LinearData whole = weights.linear(name, outputs, config.hiddenSize());
        List<TensorData> bias = new ArrayList<>();
        if (config.mlpBias()) {
            bias.add(weights.bias(name, outputs).elements(rows.from(), rows.to()));
        }
        return device.loadMatrix(List.of(whole.slice(rows.from(), rows.to())), bias);
    }

    /** A product whose results the ranks sum up: each has some of the inputs, one has the bias. */
    private Matrix byColumns(String name, int inputs, Range columns, boolean hasBias)
            throws IOException {
        int outputs = config.hiddenSize();
        LinearData whole = weights.linear(name, outputs, inputs);
        List<TensorData> bias = new ArrayList<>();
        if (hasBias) {
            TensorData all = weights.bias(name, outputs);
            if (shard.isFirst()) bias.add(all);
        }
        LinearData part =
                columns.width() == inputs ? whole : whole.sliceInputs(columns.from(), columns.to());
        return device.loadMatrix(List.of(part), bias);
    }

    private Matrix qkv(String layer) throws IOException {
        int hidden = config.hiddenSize();
        int[] widths =
                names.qkv().size() == 1
                        ? new int[] {config.qkvWidth()}
                        : new int[] {config.queryWidth(), config.kvWidth(), config.kvWidth()};
        List<LinearData> projections = new ArrayList<>();
        List<TensorData> biases = new ArrayList<>();
        for (int p = 0; p < widths.length; p++) {
            String name = layer + names.qkv().get(p);
            projections.add(weights.linear(name, widths[p], hidden));
            if (config.attention().qkvBias()) biases.add(weights.bias(name, widths[p]));
        }
        return device.loadMatrix(
                byKvHead(projections, LinearData::slice), byKvHead(biases, TensorData::elements));
    }

    private interface Slicer<T> {
        T slice(T whole, long from, long to);
    }

    /**
     * The projections' outputs, KV head by KV head: its queries, its key, its value. So a part of
     * the fused product belongs to whole heads, and whoever made it can go on with it alone.
     *
     * @param qkv the three projections, or the one that a checkpoint holds in this order already
     */
    private <T> List<T> byKvHead(List<T> qkv, Slicer<T> slicer) {
        List<T> parts = new ArrayList<>();
        if (qkv.isEmpty()) return parts;
        Range kvHeads = shard.kvHeads();
        int group = config.heads() / config.kvHeads();
        int queries = shard.heads().width() / kvHeads.width(); // of a KV head, on this rank
        if (qkv.size() == 1 && queries == group) {
            parts.add(heads(qkv.get(0), slicer, kvHeads.times(group + 2)));
            return parts;
        }
        for (int h = kvHeads.from(), query = shard.heads().from(); h < kvHeads.to(); h++) {
            Range own = new Range(query, query + queries);
            if (qkv.size() == 1) { // before the queries of KV head h are keys and values of h more
                parts.add(
                        heads(qkv.get(0), slicer, new Range(2 * h + own.from(), 2 * h + own.to())));
                int key = h * (group + 2) + group;
                parts.add(heads(qkv.get(0), slicer, new Range(key, key + 2)));
            } else {
                parts.add(heads(qkv.get(0), slicer, own));
                parts.add(heads(qkv.get(1), slicer, new Range(h, h + 1)));
                parts.add(heads(qkv.get(2), slicer, new Range(h, h + 1)));
            }
            query += queries;
        }
        return parts;
    }

    private <T> T heads(T projection, Slicer<T> slicer, Range heads) {
        Range outputs = heads.times(config.headDim());
        return slicer.slice(projection, outputs.from(), outputs.to());
    }
}
