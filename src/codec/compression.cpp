#include "codec/compression.hpp"

#include <zstd.h>

#include <memory>

namespace townd {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

constexpr int kLevel = 3;  // zstd's own default: 400 MB/s; a higher one gains little on JSON

}  // namespace

std::string compress(std::string_view bytes) {
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), kLevel));
  return packed;
}

bool is_compressed(std::string_view bytes) { return bytes.substr(0, 4) == "\x28\xb5\x2f\xfd"; }

expected<std::string> decompress(std::string_view bytes, std::size_t limit) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string unpacked;
  std::string piece(ZSTD_DStreamOutSize(), '\0');
  std::size_t wanted = 1;
  while (wanted != 0 || in.pos < in.size) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    const std::size_t before = in.pos;
    wanted = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(wanted))
      return fail(Error::Code::invalid, std::string("not a zstd file: ") + ZSTD_getErrorName(wanted),
                  "make the file again");
    if (out.pos == 0 && in.pos == before)
      return fail(Error::Code::invalid, "the zstd file ends too early", "copy the whole file again");
    if (unpacked.size() + out.pos > limit)
      return fail(Error::Code::too_large, "the zstd file unpacks to more than " + std::to_string(limit) + " bytes",
                  "use a smaller snapshot");
    unpacked.append(piece.data(), out.pos);
  }
  return unpacked;
}

}  // namespace townd
