#include "rewrite.h"
#include <cctype>
#include <map>
#include <vector>

namespace softgpu {

namespace {

/** A cursor over preprocessed text: words, and parentheses that match. Lines of "# 12 file" are space. */
class Cursor {
  public:
    Cursor(const std::string &text, size_t at) : at(at), text(text) {}
    size_t at;

    void space() {
        for (;;) {
            while (at < text.size() && isspace(static_cast<unsigned char>(text[at]))) at++;
            if (at < text.size() && text[at] == '#') at = text.find('\n', at);
            else return;
            if (at == std::string::npos) at = text.size();
        }
    }
    std::string word() {
        space();
        size_t from = at;
        while (at < text.size() && isWord(text[at])) at++;
        return text.substr(from, at - from);
    }
    /** "(a (b) c)" at the cursor, without the outer parentheses. */
    std::string parenthesised() {
        space();
        if (at >= text.size() || text[at] != '(') return "";
        size_t from = at + 1;
        int depth = 0;
        do {
            if (text[at] == '(') depth++;
            if (text[at] == ')') depth--;
            at++;
        } while (at < text.size() && depth > 0);
        return text.substr(from, at - 1 - from);
    }
    static bool isWord(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_'; }

  private:
    const std::string &text;
};

size_t findWord(const std::string &text, const std::string &word, size_t from) {
    for (size_t at = text.find(word, from); at != std::string::npos; at = text.find(word, at + 1)) {
        bool left = at == 0 || !Cursor::isWord(text[at - 1]);
        bool right = at + word.size() >= text.size() || !Cursor::isWord(text[at + word.size()]);
        if (left && right) return at;
    }
    return std::string::npos;
}

/** Blanks [from, to) but for its line breaks and line marks, so that every line keeps its number. */
void blank(std::string &text, size_t from, size_t to) {
    bool mark = false;
    for (size_t i = from; i < to; i++) {
        if (text[i] == '\n') mark = i + 1 < to && text[i + 1] == '#';
        else if (!mark) text[i] = ' ';
    }
}

/** extern __shared__ T name[]; becomes T* const name = the launch's dynamic shared memory; */
void rewriteDynamicShared(std::string &text) {
    for (size_t at = findWord(text, "extern", 0); at != std::string::npos; at = findWord(text, "extern", at + 1)) {
        Cursor c(text, at + 6);
        c.space();
        size_t shared = c.at;
        if (c.word() != "thread_local") continue;
        size_t bracket = text.find('[', c.at), end = text.find(';', c.at);
        if (bracket == std::string::npos || end == std::string::npos || bracket > end) continue;
        size_t name = bracket;
        while (name > 0 && isspace(static_cast<unsigned char>(text[name - 1]))) name--;
        size_t nameEnd = name;
        while (name > 0 && Cursor::isWord(text[name - 1])) name--;
        std::string variable = text.substr(name, nameEnd - name);
        blank(text, bracket, end);
        text.replace(name, end - name, "* const " + variable + " = SoftgpuDynamicShared()");
        blank(text, shared, shared + 12);
        blank(text, at, at + 6);
    }
}

} // namespace

std::string rewrite(const std::string &source) {
    std::string text = source;
    rewriteDynamicShared(text);
    std::map<std::string, std::string> bounds; // by kernel; empty for none
    for (size_t at = findWord(text, "__global__", 0); at != std::string::npos; at = findWord(text, "__global__", at + 1)) {
        Cursor c(text, at + 10);
        std::string bound, name;
        for (;;) {
            std::string word = c.word();
            if (word == "__launch_bounds__") bound = c.parenthesised();
            else if (word == "__attribute__") c.parenthesised();
            else if (!word.empty()) name = word;
            c.space();
            if (word.empty() || (c.at < text.size() && text[c.at] == '(' && name == word && word != "__launch_bounds__")) break;
        }
        if (!name.empty()) {
            std::string &known = bounds[name];
            if (known.empty()) known = bound;
        }
        blank(text, at, at + 10);
    }
    for (size_t at = findWord(text, "__launch_bounds__", 0); at != std::string::npos; at = findWord(text, "__launch_bounds__", at + 1)) {
        Cursor c(text, at + 17);
        c.parenthesised();
        blank(text, at, c.at);
    }
    text += "\n# 1 \"softgpu-kernels\"\nextern \"C\" { extern const SoftgpuKernel softgpu_kernels[] __attribute__((visibility(\"default\"))); const SoftgpuKernel softgpu_kernels[] = {\n";
    for (auto &entry : bounds) {
        const std::string call = "SoftgpuCall<decltype(&" + entry.first + "), &" + entry.first + ">";
        text += "{\"" + entry.first + "\", " + call + "::invoke, softgpu_first(" + (entry.second.empty() ? "0" : entry.second) + "), " + call + "::count, " + call + "::sizes},\n";
    }
    return text + "{nullptr, nullptr, 0, 0, nullptr}}; }\n";
}

} // namespace softgpu
