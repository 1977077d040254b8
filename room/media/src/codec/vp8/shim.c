/* VP8 by libvpx, behind functions of plain numbers and pointers: what libvpx's structs look like depends on its version, and is
 * here the compiler's to know. `shim.rs` has the other side of each function.
 *
 * Each returns a `vpx_codec_err_t`, and gives what it makes through a pointer. */

#include <stdint.h>
#include <stdlib.h>

#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

/* Ticks in a second, of pictures' times: those of RTP. */
#define CLOCK_RATE 90000

/* As in shim.rs. */
struct twocan_vp8_settings {
    uint32_t width, height;
    /* Of a picture, in ticks. */
    uint32_t duration;
    uint32_t kilobits;
    /* Pictures from one key frame to the next, at most. */
    uint32_t key_interval;
    uint32_t threads;
    int32_t speed;
    /* Per cent of what waits for the network, below which pictures are left out; none at 0. */
    uint32_t drop_below;
};

/* As in shim.rs: where a picture is. */
struct twocan_picture {
    uint32_t width, height;
    const uint8_t *planes[3];
    uint32_t strides[3];
};

struct twocan_vp8_encoder {
    vpx_codec_ctx_t codec;
    vpx_codec_enc_cfg_t config;
};

static vpx_codec_err_t begin(struct twocan_vp8_encoder *encoder, const struct twocan_vp8_settings *settings) {
    vpx_codec_enc_cfg_t *config = &encoder->config;
    vpx_codec_err_t error = vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0);
    if (error) return error;
    config->g_w = settings->width;
    config->g_h = settings->height;
    config->g_threads = settings->threads;
    config->g_timebase.num = 1;
    config->g_timebase.den = CLOCK_RATE;
    config->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
    config->g_pass = VPX_RC_ONE_PASS;
    config->g_lag_in_frames = 0;
    config->rc_end_usage = VPX_CBR;
    config->rc_target_bitrate = settings->kilobits;
    config->rc_dropframe_thresh = settings->drop_below;
    config->rc_resize_allowed = 0;
    config->rc_min_quantizer = 2;
    config->rc_max_quantizer = 56;
    config->rc_undershoot_pct = 100;
    config->rc_overshoot_pct = 15;
    /* Milliseconds that a decoder, or the network before it, holds. */
    config->rc_buf_initial_sz = 500;
    config->rc_buf_optimal_sz = 600;
    config->rc_buf_sz = 1000;
    config->kf_mode = VPX_KF_AUTO;
    config->kf_min_dist = 0;
    config->kf_max_dist = settings->key_interval;
    error = vpx_codec_enc_init(&encoder->codec, vpx_codec_vp8_cx(), config, 0);
    if (error) return error;
    /* A key frame may have half of what the buffer holds, in pictures. */
    unsigned most = config->rc_buf_optimal_sz / 2 * (CLOCK_RATE / 1000) / settings->duration * 100;
    if (most < 300) most = 300;
    error = vpx_codec_control(&encoder->codec, VP8E_SET_CPUUSED, settings->speed);
    if (!error) error = vpx_codec_control(&encoder->codec, VP8E_SET_STATIC_THRESHOLD, 1u);
    if (!error) error = vpx_codec_control(&encoder->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, most);
    if (error) vpx_codec_destroy(&encoder->codec);
    return error;
}

int twocan_vp8_encoder_new(const struct twocan_vp8_settings *settings, struct twocan_vp8_encoder **made) {
    struct twocan_vp8_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) return VPX_CODEC_MEM_ERROR;
    vpx_codec_err_t error = begin(encoder, settings);
    if (error) {
        free(encoder);
        return error;
    }
    *made = encoder;
    return VPX_CODEC_OK;
}

void twocan_vp8_encoder_free(struct twocan_vp8_encoder *encoder) {
    vpx_codec_destroy(&encoder->codec);
    free(encoder);
}

int twocan_vp8_encoder_set_kilobits(struct twocan_vp8_encoder *encoder, uint32_t kilobits) {
    encoder->config.rc_target_bitrate = kilobits;
    return vpx_codec_enc_config_set(&encoder->codec, &encoder->config);
}

/* Gives the frame, which stays until the next call; none, of length 0, where the picture is left out. */
int twocan_vp8_encode(struct twocan_vp8_encoder *encoder, const struct twocan_picture *picture, int64_t ticks,
                      uint32_t duration, int is_key, const uint8_t **frame, size_t *length, int *is_key_frame) {
    vpx_image_t image;
    /* Only a wrapper: what it is given is not written to. */
    unsigned char *first = (unsigned char *)picture->planes[0];
    if (!vpx_img_wrap(&image, VPX_IMG_FMT_I420, picture->width, picture->height, 1, first)) return VPX_CODEC_INVALID_PARAM;
    for (int plane = 0; plane < 3; plane++) {
        image.planes[plane] = (unsigned char *)picture->planes[plane];
        image.stride[plane] = (int)picture->strides[plane];
    }
    vpx_enc_frame_flags_t flags = is_key ? VPX_EFLAG_FORCE_KF : 0;
    vpx_codec_err_t error = vpx_codec_encode(&encoder->codec, &image, ticks, duration, flags, VPX_DL_REALTIME);
    if (error) return error;
    *length = 0;
    vpx_codec_iter_t at = NULL;
    const vpx_codec_cx_pkt_t *packet;
    while ((packet = vpx_codec_get_cx_data(&encoder->codec, &at))) {
        if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
        *frame = packet->data.frame.buf;
        *length = packet->data.frame.sz;
        *is_key_frame = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
        break;
    }
    return VPX_CODEC_OK;
}

struct twocan_vp8_decoder {
    vpx_codec_ctx_t codec;
};

int twocan_vp8_decoder_new(uint32_t threads, struct twocan_vp8_decoder **made) {
    struct twocan_vp8_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return VPX_CODEC_MEM_ERROR;
    vpx_codec_dec_cfg_t config = { .threads = threads };
    vpx_codec_err_t error = vpx_codec_dec_init(&decoder->codec, vpx_codec_vp8_dx(), &config, 0);
    if (error) {
        free(decoder);
        return error;
    }
    *made = decoder;
    return VPX_CODEC_OK;
}

void twocan_vp8_decoder_free(struct twocan_vp8_decoder *decoder) {
    vpx_codec_destroy(&decoder->codec);
    free(decoder);
}

/* Gives the picture, which stays until the next call; none, of width 0, where the frame is not shown. */
int twocan_vp8_decode(struct twocan_vp8_decoder *decoder, const uint8_t *frame, uint32_t length,
                      struct twocan_picture *picture) {
    picture->width = 0;
    vpx_codec_err_t error = vpx_codec_decode(&decoder->codec, frame, length, NULL, 0);
    if (error) return error;
    vpx_codec_iter_t at = NULL;
    const vpx_image_t *image = vpx_codec_get_frame(&decoder->codec, &at);
    if (!image) return VPX_CODEC_OK;
    if (image->fmt != VPX_IMG_FMT_I420) return VPX_CODEC_UNSUP_FEATURE;
    for (int plane = 0; plane < 3; plane++) {
        if (image->stride[plane] <= 0) return VPX_CODEC_UNSUP_FEATURE;
        picture->planes[plane] = image->planes[plane];
        picture->strides[plane] = (uint32_t)image->stride[plane];
    }
    picture->width = image->d_w;
    picture->height = image->d_h;
    return VPX_CODEC_OK;
}
