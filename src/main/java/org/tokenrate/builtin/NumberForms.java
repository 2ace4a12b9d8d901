package org.tokenrate.builtin;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Exercises with worked solutions, and tables of numbers. Everything is computed, so it is right.
 */
final class NumberForms {
    private record Exercise(String question, String solution) {}

    private interface Kind {
        Exercise make(Composer c);
    }

    private static final List<Kind> KINDS =
            List.of(
                    NumberForms::discount,
                    NumberForms::speed,
                    NumberForms::rectangle,
                    NumberForms::linearEquation,
                    NumberForms::quadraticEquation,
                    NumberForms::average,
                    NumberForms::interest,
                    NumberForms::factors,
                    NumberForms::commonDivisor,
                    NumberForms::dice,
                    NumberForms::derivative,
                    NumberForms::rightTriangle,
                    NumberForms::sharing);

    private NumberForms() {}

    static Turn exercises(Composer c, int promptChars, int answerChars) {
        var solutions = new Draft(answerChars);
        var questions = new ArrayList<String>();
        do {
            Exercise exercise = c.any(KINDS).make(c);
            questions.add(exercise.question());
            String number = questions.size() == 1 ? "" : "**" + questions.size() + ".** ";
            solutions.paragraph(number + exercise.solution());
        } while (solutions.hasRoomFor(120) && questions.size() < 25);
        if (questions.size() == 1) {
            return new Turn(c.prompt(questions.get(0), promptChars), solutions.toString());
        }
        var prompt =
                new Draft(0)
                        .paragraph(
                                c.prompt("Solve these exercises and show your work.", promptChars))
                        .paragraph("");
        for (int i = 0; i < questions.size(); i++) {
            prompt.line(i + 1 + ". " + questions.get(i));
        }
        return new Turn(prompt.toString(), "**1.** " + solutions);
    }

    private static Exercise discount(Composer c) {
        int price = 5 * c.random().between(8, 160);
        int percent = 5 * c.random().between(1, 12);
        double off = price * percent / 100.0;
        return new Exercise(
                "A coat costs "
                        + price
                        + " euros and is reduced by "
                        + percent
                        + "%. What does it cost now?",
                "The reduction is "
                        + price
                        + " × "
                        + percent
                        + "/100 = "
                        + money(off)
                        + " euros. The new price is "
                        + price
                        + " − "
                        + money(off)
                        + " = **"
                        + money(price - off)
                        + " euros**.");
    }

    private static Exercise speed(Composer c) {
        int speed = 10 * c.random().between(3, 12);
        int hours = c.random().between(2, 7);
        return new Exercise(
                "A train covers "
                        + speed * hours
                        + " km in "
                        + hours
                        + " hours. What is its average speed?",
                "Average speed is distance divided by time: "
                        + speed * hours
                        + " km ÷ "
                        + hours
                        + " h = **"
                        + speed
                        + " km/h**.");
    }

    private static Exercise rectangle(Composer c) {
        int a = c.random().between(4, 40);
        int b = c.random().between(3, 30);
        return new Exercise(
                "A rectangle is "
                        + a
                        + " m long and "
                        + b
                        + " m wide. Find its area and its perimeter.",
                "Area: "
                        + a
                        + " × "
                        + b
                        + " = **"
                        + a * b
                        + " m²**. Perimeter: 2 × ("
                        + a
                        + " + "
                        + b
                        + ") = **"
                        + 2 * (a + b)
                        + " m**.");
    }

    private static Exercise linearEquation(Composer c) {
        int a = c.random().between(2, 12);
        int x = c.random().between(-9, 15);
        int b = c.random().between(1, 30);
        int right = a * x + b;
        return new Exercise(
                "Solve " + a + "x + " + b + " = " + right + ".",
                "Subtract "
                        + b
                        + " on both sides: "
                        + a
                        + "x = "
                        + (right - b)
                        + ". Divide by "
                        + a
                        + ": **x = "
                        + x
                        + "**. Check: "
                        + a
                        + " × ("
                        + x
                        + ") + "
                        + b
                        + " = "
                        + right
                        + ". ✓");
    }

    private static Exercise quadraticEquation(Composer c) {
        int p = c.random().between(1, 9);
        int q = p + c.random().between(1, 8);
        return new Exercise(
                "Find all solutions of x² − " + (p + q) + "x + " + p * q + " = 0.",
                "We look for two numbers with the sum "
                        + (p + q)
                        + " and the product "
                        + p * q
                        + ". These are "
                        + p
                        + " and "
                        + q
                        + ", so x² − "
                        + (p + q)
                        + "x + "
                        + p * q
                        + " = (x − "
                        + p
                        + ")(x − "
                        + q
                        + "). The solutions are **x = "
                        + p
                        + "** and **x = "
                        + q
                        + "**.");
    }

    private static Exercise average(Composer c) {
        int[] values = IntStream.range(0, 5).map(i -> c.random().between(10, 99)).toArray();
        int sum = Arrays.stream(values).sum();
        int[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Exercise(
                "Find the mean and the median of " + joined(values, ", ") + ".",
                "The sum is "
                        + joined(values, " + ")
                        + " = "
                        + sum
                        + ", so the mean is "
                        + sum
                        + " ÷ 5 = **"
                        + decimal(sum / 5.0, 1)
                        + "**. In order the values are "
                        + joined(sorted, ", ")
                        + "; the one in the middle is **"
                        + sorted[2]
                        + "**, the median.");
    }

    private static Exercise interest(Composer c) {
        int sum = 500 * c.random().between(2, 40);
        int rate = c.random().between(2, 6);
        int years = c.random().between(2, 4);
        var text = new StringBuilder("Each year the sum is multiplied by 1.0" + rate + ".");
        double balance = sum;
        for (int year = 1; year <= years; year++) {
            balance = balance * (100 + rate) / 100;
            text.append(" After year ")
                    .append(year)
                    .append(": ")
                    .append(money(balance))
                    .append(".");
        }
        return new Exercise(
                "You put "
                        + sum
                        + " euros in an account with "
                        + rate
                        + "% interest a year. How much is there after "
                        + years
                        + " years?",
                text + " The answer is **" + money(balance) + " euros**.");
    }

    private static Exercise factors(Composer c) {
        int[] primes = {2, 2, 2, 3, 3, 5, 5, 7, 11, 13};
        int[] chosen =
                IntStream.range(0, 4)
                        .map(i -> primes[c.random().nextInt(primes.length)])
                        .sorted()
                        .toArray();
        int product = Arrays.stream(chosen).reduce(1, (a, b) -> a * b);
        return new Exercise(
                "Write " + product + " as a product of primes.",
                "Divide by the smallest prime as long as possible, then by the next one: "
                        + product
                        + " = **"
                        + joined(chosen, " × ")
                        + "**.");
    }

    private static Exercise commonDivisor(Composer c) {
        int shared = c.random().between(2, 18);
        int a = shared * c.random().between(3, 14);
        int b = shared * c.random().between(3, 14);
        var text =
                new StringBuilder(
                        "Euclid's algorithm replaces the larger number by the remainder: ");
        int x = Math.max(a, b);
        int y = Math.min(a, b);
        while (y > 0) {
            text.append(x)
                    .append(" mod ")
                    .append(y)
                    .append(" = ")
                    .append(x % y)
                    .append(x % y > 0 ? ", " : ".");
            int rest = x % y;
            x = y;
            y = rest;
        }
        return new Exercise(
                "What is the greatest common divisor of " + a + " and " + b + "?",
                text + " The last divisor is **" + x + "**.");
    }

    private static Exercise dice(Composer c) {
        int sum = c.random().between(2, 12);
        int ways = 6 - Math.abs(7 - sum);
        return new Exercise(
                "Two dice are rolled. What is the probability that the sum is " + sum + "?",
                "There are 6 × 6 = 36 equally likely results, and "
                        + ways
                        + (ways == 1 ? " of them has" : " of them have")
                        + " the sum "
                        + sum
                        + ". The probability is **"
                        + ways
                        + "/36 ≈ "
                        + decimal(100.0 * ways / 36, 1)
                        + "%**.");
    }

    private static Exercise derivative(Composer c) {
        int a = c.random().between(2, 9);
        int n = c.random().between(3, 6);
        int b = c.random().between(2, 20);
        String[] powers = {"", "", "²", "³", "⁴", "⁵", "⁶"};
        return new Exercise(
                "Differentiate f(x) = " + a + "x" + powers[n] + " − " + b + "x + 1.",
                "Multiply each coefficient by its exponent and lower the exponent by one; the constant disappears: **f′(x) = "
                        + a * n
                        + "x"
                        + powers[n - 1]
                        + " − "
                        + b
                        + "**.");
    }

    private static Exercise rightTriangle(Composer c) {
        int[][] triples = {{3, 4, 5}, {5, 12, 13}, {8, 15, 17}, {7, 24, 25}, {20, 21, 29}};
        int[] t = triples[c.random().nextInt(triples.length)];
        int k = c.random().between(1, 9);
        int a = k * t[0];
        int b = k * t[1];
        int h = k * t[2];
        return new Exercise(
                "The legs of a right triangle measure "
                        + a
                        + " cm and "
                        + b
                        + " cm. How long is the hypotenuse?",
                "By Pythagoras, c² = "
                        + a
                        + "² + "
                        + b
                        + "² = "
                        + a * a
                        + " + "
                        + b * b
                        + " = "
                        + h * h
                        + ", so c = √"
                        + h * h
                        + " = **"
                        + h
                        + " cm**.");
    }

    private static Exercise sharing(Composer c) {
        int people = c.random().between(3, 12);
        int each = c.random().between(4, 25);
        int rest = c.random().nextInt(people);
        int all = people * each + rest;
        return new Exercise(
                c.say("first-name")
                        + " shares "
                        + all
                        + " sweets equally among "
                        + people
                        + " children. How many does each child get, and how many are left?",
                all
                        + " ÷ "
                        + people
                        + " = "
                        + each
                        + " with remainder "
                        + rest
                        + ". Each child gets **"
                        + each
                        + "** sweets, and **"
                        + rest
                        + "** are left over.");
    }

    static Turn table(Composer c, int promptChars, int answerChars) {
        return switch (c.random().nextInt(4)) {
            case 0 -> temperatures(c, promptChars, answerChars);
            case 1 -> savings(c, promptChars, answerChars);
            case 2 -> training(c, promptChars, answerChars);
            default -> timesTable(c, promptChars, answerChars);
        };
    }

    private static Turn temperatures(Composer c, int promptChars, int answerChars) {
        int celsius = c.random().between(-30, 10);
        int step = c.random().between(1, 5);
        String prompt =
                "Make a table of temperatures in °C and °F, beginning at "
                        + celsius
                        + " °C in steps of "
                        + step
                        + ".";
        var answer = new Draft(answerChars).line("| °C | °F | K |").line("| ---: | ---: | ---: |");
        do {
            answer.line(
                    "| "
                            + celsius
                            + " | "
                            + decimal(celsius * 1.8 + 32, 1)
                            + " | "
                            + decimal(celsius + 273.15, 2)
                            + " |");
            celsius += step;
        } while (answer.hasRoom());
        return new Turn(c.prompt(prompt, promptChars), answer.toString());
    }

    private static Turn savings(Composer c, int promptChars, int answerChars) {
        int monthly = 25 * c.random().between(2, 24);
        int rate = c.random().between(2, 7);
        String prompt =
                "I save "
                        + monthly
                        + " euros a month at "
                        + rate
                        + "% a year. Show me a table of how it grows, year by year.";
        var answer =
                new Draft(answerChars)
                        .paragraph("I assume that the interest is added at the end of each year.")
                        .paragraph("| Year | Paid in | Interest | Balance |")
                        .line("| ---: | ---: | ---: | ---: |");
        double balance = 0;
        for (int year = 1; year == 1 || answer.hasRoom() && year <= 60; year++) {
            double interest = (balance + 6.5 * monthly) * rate / 100;
            balance += 12.0 * monthly + interest;
            answer.line(
                    "| "
                            + year
                            + " | "
                            + 12 * monthly * year
                            + " | "
                            + money(interest)
                            + " | "
                            + money(balance)
                            + " |");
        }
        return new Turn(c.prompt(prompt, promptChars), answer.toString());
    }

    private static Turn training(Composer c, int promptChars, int answerChars) {
        int weeks = Math.max(2, Math.min(30, answerChars / 95));
        int start = c.random().between(5, 20);
        String prompt =
                "Make a running plan for "
                        + weeks
                        + " weeks as a table. I run "
                        + start
                        + " km a week now.";
        var answer =
                new Draft(answerChars)
                        .line("| Week | Tuesday | Thursday | Sunday | Total |")
                        .line("| ---: | --- | --- | --- | ---: |");
        double week = start;
        for (int i = 1; i <= weeks; i++) {
            boolean easy = i % 4 == 0;
            double total = easy ? week * 0.7 : week;
            answer.line(
                    "| "
                            + i
                            + " | "
                            + decimal(total * 0.3, 1)
                            + " km easy | "
                            + decimal(total * 0.25, 1)
                            + (easy ? " km easy" : " km with strides")
                            + " | "
                            + decimal(total * 0.45, 1)
                            + " km long | "
                            + decimal(total, 1)
                            + " km |");
            week *= easy ? 1 : 1.06;
        }
        if (answer.hasRoom()) {
            answer.paragraph("Every fourth week is lighter, so that the body can recover.");
        }
        return new Turn(c.prompt(prompt, promptChars), answer.toString());
    }

    private static Turn timesTable(Composer c, int promptChars, int answerChars) {
        int n = c.random().between(12, 9_999);
        var answer = new Draft(answerChars);
        for (int i = 1; i == 1 || answer.hasRoom() && i <= 100; i++) {
            answer.line(i + " × " + n + " = " + i * n);
        }
        return new Turn(
                c.prompt("Write down the multiplication table of " + n + ".", promptChars),
                answer.toString());
    }

    private static String joined(int[] values, String gap) {
        return Arrays.stream(values).mapToObj(String::valueOf).collect(Collectors.joining(gap));
    }

    private static String money(double value) {
        return decimal(value, 2);
    }

    private static String decimal(double value, int digits) {
        return BigDecimal.valueOf(value).setScale(digits, RoundingMode.HALF_UP).toPlainString();
    }
}
