"""Names for a chain that does not exist.

Pure: values only.
"""

from __future__ import annotations

CITIES = (
    ("서울", "Seoul"),
    ("부산", "Busan"),
    ("인천", "Incheon"),
    ("대구", "Daegu"),
    ("대전", "Daejeon"),
    ("광주", "Gwangju"),
    ("울산", "Ulsan"),
    ("수원", "Suwon"),
    ("성남", "Seongnam"),
    ("고양", "Goyang"),
    ("창원", "Changwon"),
    ("청주", "Cheongju"),
    ("전주", "Jeonju"),
)
DISTRICTS = (
    ("중앙", "Central"),
    ("역전", "Station"),
    ("시청", "City Hall"),
    ("대학로", "University"),
    ("신도시", "New Town"),
    ("강변", "Riverside"),
    ("시장", "Market"),
)
# code, Korean title, English title, minutes, rating
FILMS = (
    ("understudy", "대역배우", "The Understudy", 124, "12"),
    ("tunnel", "바다 밑의 터널", "Tunnel under the Sea", 138, "15"),
    ("witness", "세 번째 증인", "The Third Witness", 117, "15"),
    ("quorum", "과반수", "Quorum", 101, "ALL"),
    ("midnight", "자정의 매표소", "Box Office at Midnight", 109, "12"),
    ("failover", "불이 꺼지면", "When the Lights Go Out", 131, "15"),
    ("harvest", "추석 가는 길", "The Road to Chuseok", 112, "ALL"),
    ("christmas", "크리스마스의 마지막 좌석", "The Last Seat at Christmas", 96, "ALL"),
)
