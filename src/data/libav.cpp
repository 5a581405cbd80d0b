#include "data/libav.h"

extern "C" {
#include <libavutil/log.h>
}

#include <dlfcn.h>

#include <cstring>

#include "base/error.h"

namespace dojo::data {
namespace {

#define DOJO_TEXT_OF(word) #word
#define DOJO_TEXT(word) DOJO_TEXT_OF(word)
constexpr const char* library_file = "libavcodec.so." DOJO_TEXT(LIBAVCODEC_VERSION_MAJOR);
constexpr const char* package = "libavcodec" DOJO_TEXT(LIBAVCODEC_VERSION_MAJOR);

// The functions of libavcodec that are used here, and of libavutil, which comes with it.
class Libav {
public:
  Libav() : handle_(::dlopen(library_file, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) refuse(library_file, "not found; pictures need it (apt install {})", package);
    find(log_set_level, "av_log_set_level");
    find(find_decoder, "avcodec_find_decoder");
    find(alloc_context, "avcodec_alloc_context3");
    find(free_context, "avcodec_free_context");
    find(packet_alloc, "av_packet_alloc");
    find(packet_free, "av_packet_free");
    find(new_packet, "av_new_packet");
    find(frame_alloc, "av_frame_alloc");
    find(frame_free, "av_frame_free");
    find(open, "avcodec_open2");
    find(send_packet, "avcodec_send_packet");
    find(receive_frame, "avcodec_receive_frame");
    log_set_level(AV_LOG_QUIET);  // what is wrong is said by our caller
  }

  decltype(&::av_log_set_level) log_set_level = nullptr;
  decltype(&::avcodec_find_decoder) find_decoder = nullptr;
  decltype(&::avcodec_alloc_context3) alloc_context = nullptr;
  decltype(&::avcodec_free_context) free_context = nullptr;
  decltype(&::av_packet_alloc) packet_alloc = nullptr;
  decltype(&::av_packet_free) packet_free = nullptr;
  decltype(&::av_new_packet) new_packet = nullptr;
  decltype(&::av_frame_alloc) frame_alloc = nullptr;
  decltype(&::av_frame_free) frame_free = nullptr;
  decltype(&::avcodec_open2) open = nullptr;
  decltype(&::avcodec_send_packet) send_packet = nullptr;
  decltype(&::avcodec_receive_frame) receive_frame = nullptr;

private:
  template <typename Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(handle_, name));
    if (function == nullptr) refuse(library_file, "has no {}", name);
  }

  void* handle_;  // until the program ends
};

const Libav& libav() {
  static const Libav library;
  return library;
}

}  // namespace

void FreeLibav::operator()(AVCodecContext* context) const { libav().free_context(&context); }
void FreeLibav::operator()(AVPacket* packet) const { libav().packet_free(&packet); }
void FreeLibav::operator()(AVFrame* frame) const { libav().frame_free(&frame); }

Owned<AVFrame> decode_with(AVCodecID codec_id, std::span<const std::byte> bytes, int recognised_errors) {
  const Libav& library = libav();
  const AVCodec* codec = library.find_decoder(codec_id);
  if (codec == nullptr) return nullptr;
  const Owned<AVCodecContext> context(library.alloc_context(codec));
  const Owned<AVPacket> packet(library.packet_alloc());
  Owned<AVFrame> frame(library.frame_alloc());
  if (!context || !packet || !frame) return nullptr;
  context->thread_count = 1;
  context->err_recognition = AV_EF_EXPLODE | recognised_errors;
  context->max_pixels = 4096 * 4096;
  if (library.open(context.get(), codec, nullptr) < 0) return nullptr;
  if (library.new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) return nullptr;
  std::memcpy(packet->data, bytes.data(), bytes.size());
  if (library.send_packet(context.get(), packet.get()) < 0) return nullptr;
  if (library.receive_frame(context.get(), frame.get()) < 0) return nullptr;
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) return nullptr;
  return frame;
}

}  // namespace dojo::data
