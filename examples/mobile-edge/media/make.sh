#!/bin/sh
# Makes live/: 20 s of test picture with a burnt-in clock and a tone, as HLS (RFC 8216): H.264 and AAC in MPEG-TS,
# ten segments of 2 s. Needs ffmpeg and the DejaVu fonts. The segments are called .mpegts because .ts is TypeScript here.
set -eu
cd "$(dirname "$0")"
rm -rf live
mkdir live
ffmpeg -v error \
  -f lavfi -i testsrc2=size=480x270:rate=25:duration=20 \
  -f lavfi -i sine=frequency=440:sample_rate=44100:duration=20 \
  -vf "drawtext=font=DejaVu Sans Mono:text='%{pts\:hms}':x=16:y=h-48:fontsize=28:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=6" \
  -c:v libx264 -profile:v main -preset veryslow -b:v 150k -maxrate 170k -bufsize 170k \
  -g 50 -keyint_min 50 -sc_threshold 0 -pix_fmt yuv420p \
  -c:a aac -b:a 32k -ac 1 -flags +bitexact -fflags +bitexact \
  -f hls -hls_time 2 -hls_playlist_type vod -hls_segment_type mpegts \
  -hls_segment_filename live/segment%02d.mpegts live/index.m3u8
