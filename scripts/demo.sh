#!/bin/sh
# The demo: the bundled detector over the bundled clip, what came out, and how to go on from there.
set -eu
cd -- "$(dirname -- "$0")/.."

mkdir -p demo-out
set -- run --config examples/demo/demo.yaml --output demo-out/results.json --annotate demo-out/demo.mp4
echo "\$ ./stream-infer $*"
./stream-infer "$@"
echo
node scripts/show-results.ts demo-out/results.json
cat <<'END'

demo-out/demo.mp4      the clip with the boxes drawn on it
demo-out/results.json  every result, by stream, algorithm and time

Now a real model and a real camera:
  ./stream-infer probe model.onnx                  what the model takes and gives, and its likely family
  ./stream-infer probe rtsp://camera.local/stream  what the camera sends
  ./stream-infer run rtsp://camera.local/stream --output results.ndjson \
      --algorithm people=onnx-detector,model=model.onnx,family=yolox,interval=1
README.md goes on from there: an algorithm of your own, and a configuration file for many cameras.
END
