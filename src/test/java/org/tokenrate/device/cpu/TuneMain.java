package org.tokenrate.device.cpu;

import java.util.*;
import org.tokenrate.checkpoint.*;
import org.tokenrate.device.*;

class TuneMain {
    public static void main(String[] a) throws Exception {
        int threads = Integer.getInteger("threads", 2);
        int[][] shapes = {{768, 2048}, {2048, 5632}, {4096, 4096}};
        int[] ms = {1, 2, 4, 8, 16, 32, 64, 256};
        long copiesBytes = 128L << 20;
        Random random = new Random(1);
        for (int[] s : shapes) {
            int k = s[0], n = s[1];
            Team team = new Team(threads);
            MatrixProducts products = new MatrixProducts(DType.BF16),
                    tiles = new MatrixProducts(DType.BF16);
            FourBitScratch[] scratch = new FourBitScratch[threads];
            for (int i = 0; i < threads; i++) scratch[i] = new FourBitScratch(i, DType.BF16, tiles);
            RandomAwq awq = RandomAwq.of(random, k, n, 128);
            ArrayTensor dense = ArrayTensor.random(random, DType.BF16, n, k);
            int copies = (int) Math.max(2, copiesBytes / (2L * k * n));
            List<SlicedMatrix> d = new ArrayList<>(), f = new ArrayList<>(), t = new ArrayList<>();
            for (int i = 0; i < copies; i++) {
                d.add(new MatrixLoader(products, threads).load(List.of(dense)));
                f.add(
                        new FourBitLoader(team, scratch, 1 << 20)
                                .load(List.of(awq.data()), List.of()));
                t.add(new FourBitLoader(team, scratch, 0).load(List.of(awq.data()), List.of()));
            }
            CpuTensor x = new CpuTensor(256, k, DType.BF16), y = new CpuTensor(256, n, DType.F32);
            Map<String, List<SlicedMatrix>> all = new LinkedHashMap<>();
            all.put("bf16", d);
            all.put("direct", f);
            all.put("tile", t);
            for (int m : ms) {
                Map<String, double[]> best = new LinkedHashMap<>();
                int reps = 16;
                for (int r = -6; r < reps; r++) {
                    for (var e : all.entrySet()) {
                        if (e.getKey().equals("direct") && m > 8) continue;
                        long t0 = System.nanoTime();
                        for (SlicedMatrix w : e.getValue()) w.multiply(team, x, m, y, false);
                        double us = (System.nanoTime() - t0) / 1e3 / copies;
                        if (r >= 0) best.computeIfAbsent(e.getKey(), q -> new double[reps])[r] = us;
                    }
                }
                StringBuilder b = new StringBuilder("%dx%d M=%d:".formatted(k, n, m));
                for (var e : best.entrySet()) {
                    Arrays.sort(e.getValue());
                    b.append(
                            "  %s %.0f us (min %.0f)"
                                    .formatted(
                                            e.getKey(), e.getValue()[reps / 4], e.getValue()[0]));
                }
                System.out.println(b);
            }
            team.close();
        }
    }
}
