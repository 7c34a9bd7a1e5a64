# Programs with asynchronous requests, io_submit(2).

#== fio writes, reads back and verifies through libaio
fio --name=job --ioengine=libaio --rw=randrw --size=1m --bs=4k --iodepth=8 --verify=crc32c \
    --randrepeat=1 --filename=data --minimal > /dev/null
wc -c < data

#== fio takes its events out of the ring itself
head -c 1048576 /dev/zero > data
fio --name=job --ioengine=libaio --userspace_reap=1 --rw=randread --size=1m --bs=4k --iodepth=8 \
    --filename=data --output-format=json > out
python3 -c 'import json
job = json.load(open("out"))["jobs"][0]
print(job["error"], job["read"]["io_kbytes"])'
