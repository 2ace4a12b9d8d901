package org.tokenrate.builtin;

import static java.util.stream.Collectors.joining;

import java.util.List;
import org.tokenrate.builtin.Entity.Field;
import org.tokenrate.builtin.Entity.Type;

/** Small programs around an entity, piece by piece, in several languages. */
final class Programs {
    static final List<String> LANGUAGES = List.of("Python", "Java", "TypeScript", "Go");

    private Programs() {}

    /** The program's pieces: the record, a store, reading a file, a summary, a test. */
    static List<String> pieces(Composer c, String language, Entity e) {
        return switch (language) {
            case "Python" -> python(c, e);
            case "Java" -> java(c, e);
            case "TypeScript" -> typeScript(c, e);
            case "Go" -> go(c, e);
            default -> throw new IllegalArgumentException("No programs in " + language + ".");
        };
    }

    private static String fill(String template, Composer c, Entity e) {
        return template.replace("$Name", e.className())
                .replace("$name", e.name())
                .replace("$plural", e.plural())
                .replace("$key_", e.key().name())
                .replace("$key", e.key().camel())
                .replace("$Key", Composer.capitalised(e.key().camel()))
                .replace("$group_", e.group().name())
                .replace("$group", e.group().camel())
                .replace("$Group", Composer.capitalised(e.group().camel()))
                .replace("$number_", e.number().name())
                .replace("$number", e.number().camel())
                .replace("$Number", Composer.capitalised(e.number().camel()))
                .replace("$limit", String.valueOf(c.random().between(5, 90)));
    }

    private static String arguments(Composer c, Entity e, Literal literal) {
        return e.fields().stream()
                .map(f -> literal.of(f, Entity.sample(c, f)))
                .collect(joining(", "));
    }

    private interface Literal {
        String of(Field field, String value);
    }

    private static List<String> python(Composer c, Entity e) {
        String fields =
                e.fields().stream()
                        .map(f -> "    " + f.name() + ": " + pythonType(f.type()))
                        .collect(joining("\n"));
        String parsed =
                e.fields().stream()
                        .map(f -> "                " + pythonParse(f) + ",")
                        .collect(joining("\n"));
        String one = arguments(c, e, Programs::pythonLiteral);
        return List.of(
                fill(
                        """
                        from dataclasses import dataclass
                        from datetime import date
                        from decimal import Decimal


                        @dataclass(frozen=True)
                        class $Name:
                        """
                                + fields
                                + "\n",
                        c,
                        e),
                fill(
                        """
                        class $NameStore:
                            \"""Keeps $plural by their $key_.\"""

                            def __init__(self):
                                self._items = {}

                            def add(self, $name):
                                self._items[$name.$key_] = $name

                            def find(self, $key_):
                                return self._items.get($key_)

                            def above(self, limit):
                                return [x for x in self._items.values() if x.$number_ > limit]

                            def sorted_by_$number_(self):
                                return sorted(self._items.values(), key=lambda x: x.$number_, reverse=True)

                            def __len__(self):
                                return len(self._items)
                        """,
                        c,
                        e),
                fill(
                        """
                        import csv


                        def load_$plural(path):
                            store = $NameStore()
                            with open(path, newline="", encoding="utf-8") as file:
                                for row in csv.DictReader(file):
                                    store.add($Name(
                        """
                                + parsed
                                + "\n            ))\n    return store\n",
                        c,
                        e),
                fill(
                        """
                        from collections import defaultdict


                        def summary(store):
                            groups = defaultdict(list)
                            for $name in store.sorted_by_$number_():
                                groups[$name.$group_].append($name.$number_)
                            for name, values in sorted(groups.items()):
                                print(f"{name:20} {len(values):4} {sum(values):10}")
                        """,
                        c,
                        e),
                fill(
                        """
                        def test_finds_what_was_added():
                            store = $NameStore()
                            $name = $Name(%s)
                            store.add($name)
                            assert store.find($name.$key_) == $name
                            assert len(store) == 1


                        def test_empty_store_finds_nothing():
                            assert $NameStore().find("missing") is None
                        """
                                .replace("%s", one),
                        c,
                        e));
    }

    private static String pythonType(Type type) {
        return switch (type) {
            case TEXT -> "str";
            case INT -> "int";
            case DECIMAL -> "Decimal";
            case DATE -> "date";
            case BOOL -> "bool";
        };
    }

    private static String pythonParse(Field f) {
        String cell = "row[\"" + f.name() + "\"]";
        return switch (f.type()) {
            case TEXT -> cell;
            case INT -> "int(" + cell + ")";
            case DECIMAL -> "Decimal(" + cell + ")";
            case DATE -> "date.fromisoformat(" + cell + ")";
            case BOOL -> cell + " == \"true\"";
        };
    }

    private static String pythonLiteral(Field f, String value) {
        return switch (f.type()) {
            case TEXT -> '"' + value + '"';
            case INT -> value;
            case DECIMAL -> "Decimal(\"" + value + "\")";
            case DATE -> "date.fromisoformat(\"" + value + "\")";
            case BOOL -> Composer.capitalised(value);
        };
    }

    private static List<String> java(Composer c, Entity e) {
        String components =
                e.fields().stream()
                        .map(f -> javaType(f.type()) + " " + f.camel())
                        .collect(joining(", "));
        String one = arguments(c, e, Programs::javaLiteral);
        var parsed = new StringBuilder();
        for (int i = 0; i < e.fields().size(); i++) {
            parsed.append(i == 0 ? "" : ", ")
                    .append(javaParse(e.fields().get(i), "cells[" + i + "]"));
        }
        return List.of(
                fill("public record $Name(" + components + ") {}\n", c, e),
                fill(
                        """
                        /** Keeps $plural in the order in which they were added. */
                        public final class $NameStore {
                            private final Map<String, $Name> byKey = new LinkedHashMap<>();

                            public void add($Name $name) {
                                byKey.put(String.valueOf($name.$key()), $name);
                            }

                            public Optional<$Name> find(String $key) {
                                return Optional.ofNullable(byKey.get($key));
                            }

                            public List<$Name> sorted(Comparator<$Name> order) {
                                return byKey.values().stream().sorted(order).toList();
                            }

                            public Map<String, Long> countBy$Group() {
                                return byKey.values().stream()
                                        .collect(Collectors.groupingBy(x -> String.valueOf(x.$group()), TreeMap::new, Collectors.counting()));
                            }

                            public int size() {
                                return byKey.size();
                            }
                        }
                        """,
                        c,
                        e),
                fill(
                        """
                        static $NameStore read(Path file) throws IOException {
                            var store = new $NameStore();
                            try (Stream<String> lines = Files.lines(file)) {
                                lines.skip(1)
                                        .map(line -> line.split(","))
                                        .map(cells -> new $Name(%s))
                                        .forEach(store::add);
                            }
                            return store;
                        }
                        """
                                .replace("%s", parsed),
                        c,
                        e),
                fill(
                        """
                        static void printSummary($NameStore store) {
                            store.countBy$Group().forEach((name, count) -> System.out.printf("%-20s %5d%n", name, count));
                            store.sorted(Comparator.comparing($Name::$number).reversed()).stream()
                                    .limit(3)
                                    .forEach(System.out::println);
                        }
                        """,
                        c, e),
                fill(
                        """
                        @Test
                        void findsWhatWasAdded() {
                            var store = new $NameStore();
                            var $name = new $Name(%s);
                            store.add($name);
                            assertEquals(Optional.of($name), store.find(String.valueOf($name.$key())));
                        }

                        @Test
                        void anEmptyStoreFindsNothing() {
                            assertTrue(new $NameStore().find("missing").isEmpty());
                        }
                        """
                                .replace("%s", one),
                        c,
                        e));
    }

    private static String javaType(Type type) {
        return switch (type) {
            case TEXT -> "String";
            case INT -> "int";
            case DECIMAL -> "BigDecimal";
            case DATE -> "LocalDate";
            case BOOL -> "boolean";
        };
    }

    private static String javaParse(Field f, String cell) {
        return switch (f.type()) {
            case TEXT -> cell;
            case INT -> "Integer.parseInt(" + cell + ")";
            case DECIMAL -> "new BigDecimal(" + cell + ")";
            case DATE -> "LocalDate.parse(" + cell + ")";
            case BOOL -> "Boolean.parseBoolean(" + cell + ")";
        };
    }

    private static String javaLiteral(Field f, String value) {
        return switch (f.type()) {
            case TEXT -> '"' + value + '"';
            case INT, BOOL -> value;
            case DECIMAL -> "new BigDecimal(\"" + value + "\")";
            case DATE -> "LocalDate.parse(\"" + value + "\")";
        };
    }

    private static List<String> typeScript(Composer c, Entity e) {
        String fields =
                e.fields().stream()
                        .map(f -> "  " + f.camel() + ": " + typeScriptType(f.type()) + ";")
                        .collect(joining("\n"));
        String one =
                e.fields().stream()
                        .map(
                                f ->
                                        "  "
                                                + f.camel()
                                                + ": "
                                                + typeScriptLiteral(f, Entity.sample(c, f))
                                                + ",")
                        .collect(joining("\n"));
        return List.of(
                fill("export interface $Name {\n" + fields + "\n}\n", c, e),
                fill(
                        """
                        export class $NameStore {
                          private readonly items = new Map<string, $Name>();

                          add($name: $Name): void {
                            this.items.set($name.$key, $name);
                          }

                          find($key: string): $Name | undefined {
                            return this.items.get($key);
                          }

                          above(limit: number): $Name[] {
                            return [...this.items.values()].filter((x) => x.$number > limit);
                          }

                          sorted(): $Name[] {
                            return [...this.items.values()].sort((a, b) => b.$number - a.$number);
                          }
                        }
                        """,
                        c,
                        e),
                fill(
                        """
                        export async function load$Names(url: string): Promise<$NameStore> {
                          const response = await fetch(url);
                          if (!response.ok) {
                            throw new Error(`GET ${url} failed with status ${response.status}`);
                          }
                          const store = new $NameStore();
                          for (const item of (await response.json()) as $Name[]) {
                            store.add(item);
                          }
                          return store;
                        }
                        """,
                        c,
                        e),
                fill(
                        """
                        export function countBy$Group(store: $NameStore): Record<string, number> {
                          const counts: Record<string, number> = {};
                          for (const { $group } of store.sorted()) {
                            counts[$group] = (counts[$group] ?? 0) + 1;
                          }
                          return counts;
                        }
                        """,
                        c,
                        e),
                fill(
                        "const example: $Name = {\n"
                                + one
                                + "\n};\n\nconst store = new $NameStore();\nstore.add(example);\n"
                                + "console.assert(store.find(example.$key) === example);\n"
                                + "console.log(store.above($limit).length);\n",
                        c,
                        e));
    }

    private static String typeScriptType(Type type) {
        return switch (type) {
            case TEXT, DATE -> "string";
            case INT, DECIMAL -> "number";
            case BOOL -> "boolean";
        };
    }

    private static String typeScriptLiteral(Field f, String value) {
        return Entity.quoted(f, value, '"');
    }

    private static List<String> go(Composer c, Entity e) {
        String fields =
                e.fields().stream()
                        .map(
                                f ->
                                        "\t"
                                                + Composer.capitalised(f.camel())
                                                + " "
                                                + goType(f.type())
                                                + " `json:\""
                                                + f.name()
                                                + "\"`")
                        .collect(joining("\n"));
        return List.of(
                fill("type $Name struct {\n" + fields + "\n}\n", c, e),
                fill(
                        """
                        type Store struct {
                        	items map[string]$Name
                        }

                        func NewStore() *Store {
                        	return &Store{items: make(map[string]$Name)}
                        }

                        func (s *Store) Add(x $Name) {
                        	s.items[x.$Key] = x
                        }

                        func (s *Store) Find(key string) ($Name, bool) {
                        	x, ok := s.items[key]
                        	return x, ok
                        }
                        """,
                        c,
                        e),
                fill(
                        """
                        func Load(path string) (*Store, error) {
                        	file, err := os.Open(path)
                        	if err != nil {
                        		return nil, fmt.Errorf("open %s: %w", path, err)
                        	}
                        	defer file.Close()

                        	var items []$Name
                        	if err := json.NewDecoder(file).Decode(&items); err != nil {
                        		return nil, fmt.Errorf("decode %s: %w", path, err)
                        	}
                        	store := NewStore()
                        	for _, item := range items {
                        		store.Add(item)
                        	}
                        	return store, nil
                        }
                        """,
                        c, e),
                fill(
                        """
                        func (s *Store) Largest(n int) []$Name {
                        	all := make([]$Name, 0, len(s.items))
                        	for _, x := range s.items {
                        		all = append(all, x)
                        	}
                        	sort.Slice(all, func(i, j int) bool {
                        		return all[i].$Number > all[j].$Number
                        	})
                        	if len(all) > n {
                        		all = all[:n]
                        	}
                        	return all
                        }
                        """,
                        c,
                        e),
                fill(
                        """
                        func TestFind(t *testing.T) {
                        	store := NewStore()
                        	store.Add($Name{$Key: "a", $Number: $limit})
                        	if _, ok := store.Find("a"); !ok {
                        		t.Fatal("the $name was not found")
                        	}
                        	if _, ok := store.Find("b"); ok {
                        		t.Fatal("found $name that was never added")
                        	}
                        }
                        """,
                        c,
                        e));
    }

    private static String goType(Type type) {
        return switch (type) {
            case TEXT, DATE -> "string";
            case INT -> "int";
            case DECIMAL -> "float64";
            case BOOL -> "bool";
        };
    }

    /** Statements around a table, piece by piece: the table, rows, queries, an index. */
    static List<String> sql(Composer c, Entity e, int rows) {
        String columns =
                e.fields().stream()
                        .map(f -> "    " + f.name() + " " + sqlType(f.type()) + " NOT NULL")
                        .collect(joining(",\n"));
        var inserts = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            inserts.append(i == 0 ? "" : ",\n")
                    .append("    (" + arguments(c, e, (f, v) -> Entity.quoted(f, v, '\'')) + ")");
        }
        String names = e.fields().stream().map(Field::name).collect(joining(", "));
        return List.of(
                "CREATE TABLE "
                        + e.plural()
                        + " (\n    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
                        + columns
                        + "\n);\n",
                "INSERT INTO " + e.plural() + " (" + names + ") VALUES\n" + inserts + ";\n",
                fill(
                        """
                        SELECT $key_, $number_
                        FROM $plural
                        ORDER BY $number_ DESC
                        LIMIT 10;
                        """,
                        c,
                        e),
                fill(
                        """
                        SELECT $group_, COUNT(*) AS entries, AVG($number_) AS average_$number_
                        FROM $plural
                        GROUP BY $group_
                        HAVING COUNT(*) > 1
                        ORDER BY entries DESC;
                        """,
                        c,
                        e),
                fill("CREATE INDEX $plural_by_$group_ ON $plural ($group_);\n", c, e),
                "SELECT *\nFROM "
                        + e.plural()
                        + "\nWHERE "
                        + e.date().name()
                        + " >= DATE '2024-01-01'\nORDER BY "
                        + e.date().name()
                        + ";\n");
    }

    private static String sqlType(Type type) {
        return switch (type) {
            case TEXT -> "VARCHAR(120)";
            case INT -> "INTEGER";
            case DECIMAL -> "DECIMAL(12, 2)";
            case DATE -> "DATE";
            case BOOL -> "BOOLEAN";
        };
    }
}
