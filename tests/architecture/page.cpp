#include "page.hpp"

#include <fstream>
#include <sstream>

namespace townd {
namespace {

/// A cell without the spaces around it, and without the backticks when the whole of it is code.
std::string content(const std::string& cell) {
  const auto begin = cell.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  const std::string text = cell.substr(begin, cell.find_last_not_of(' ') - begin + 1);
  const bool code = text.size() > 1 && text.find('`', 1) == text.size() - 1;
  return text.front() == '`' && code ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::multimap<std::string, std::vector<std::string>> table_of(const std::string& page) {
  std::ifstream file(std::string(TOWND_DOCS "/") + page);
  std::multimap<std::string, std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::vector<std::string> cells;
    std::istringstream rest(line.substr(1));
    for (std::string cell; std::getline(rest, cell, '|');) cells.push_back(content(cell));
    rows.emplace(cells.front(), cells);
  }
  return rows;
}

}  // namespace townd
